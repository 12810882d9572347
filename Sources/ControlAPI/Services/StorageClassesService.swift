internal import ClusterControl
internal import DaemonConfiguration
internal import Messages
internal import StorageModel

/// `galleonfs.v1.StorageClasses`
struct StorageClassesService: Sendable {
  let context: ControlContext

  func list(_ request: Control.ListStorageClassesRequest) async throws(Refusal)
    -> Control.ListStorageClassesResponse
  {
    var response = Control.ListStorageClassesResponse()
    response.storageClasses = try await context.controller.storageClasses().map(\.wire)
    return response
  }

  func create(_ request: Control.CreateStorageClassRequest) async throws(Refusal)
    -> Control.CreateStorageClassResponse
  {
    guard let wire = request.storageClass else { throw .invalid("no storage class was given") }
    let storageClass = try StorageClass(wire)
    try await context.controller.createStorageClass(storageClass)
    var response = Control.CreateStorageClassResponse()
    response.storageClass = storageClass.wire
    return response
  }

  func get(_ request: Control.GetStorageClassRequest) async throws(Refusal)
    -> Control.GetStorageClassResponse
  {
    var response = Control.GetStorageClassResponse()
    response.storageClass = try await context.controller.storageClass(request.name).wire
    return response
  }

  func delete(_ request: Control.DeleteStorageClassRequest) async throws(Refusal)
    -> Control.DeleteStorageClassResponse
  {
    try await context.controller.deleteStorageClass(request.name)
    return Control.DeleteStorageClassResponse()
  }
}
