{{/* Names, labels and what several templates share. */}}

{{- define "galleonfs.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "galleonfs.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "galleonfs.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "galleonfs.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "galleonfs.labels" -}}
{{ include "galleonfs.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "galleonfs.selector" -}}
app.kubernetes.io/name: {{ include "galleonfs.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "galleonfs.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}

{{- define "galleonfs.pluginPath" -}}
{{ .Values.kubeletPath }}/plugins/{{ .Values.driverName }}
{{- end -}}

{{/* host:port of each etcd, separated by commas. */}}
{{- define "galleonfs.etcdEndpoints" -}}
{{- if .Values.etcd.enabled -}}
{{- $root := . -}}
{{- $name := printf "%s-etcd" (include "galleonfs.fullname" .) -}}
{{- range $index := until (int .Values.etcd.replicas) -}}
{{- if $index }},{{ end -}}
{{ $name }}-{{ $index }}.{{ $name }}.{{ $root.Release.Namespace }}.svc:2379
{{- end -}}
{{- else -}}
{{- required "etcd.endpoints must name an etcd, or etcd.enabled be true" (join "," .Values.etcd.endpoints) -}}
{{- end -}}
{{- end -}}

{{/* A container that needs nothing but a socket. */}}
{{- define "galleonfs.unprivileged" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}
