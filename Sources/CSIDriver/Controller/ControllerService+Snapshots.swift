package import Messages

// Snapshots are not offered yet: their capabilities are not advertised, so no orchestrator asks.
extension ControllerService {
  package func createSnapshot(
    _ request: CSI.CreateSnapshotRequest
  ) throws(CallError) -> CSI.CreateSnapshotResponse {
    throw .unimplemented(
      "CreateSnapshot: the capability CREATE_DELETE_SNAPSHOT is not offered yet")
  }

  package func deleteSnapshot(
    _ request: CSI.DeleteSnapshotRequest
  ) throws(CallError) -> CSI.DeleteSnapshotResponse {
    throw .unimplemented(
      "DeleteSnapshot: the capability CREATE_DELETE_SNAPSHOT is not offered yet")
  }

  package func listSnapshots(
    _ request: CSI.ListSnapshotsRequest
  ) throws(CallError) -> CSI.ListSnapshotsResponse {
    throw .unimplemented("ListSnapshots: the capability LIST_SNAPSHOTS is not offered yet")
  }

  package func getSnapshot(
    _ request: CSI.GetSnapshotRequest
  ) throws(CallError) -> CSI.GetSnapshotResponse {
    throw .unimplemented("GetSnapshot: the capability GET_SNAPSHOT is not offered yet")
  }
}
