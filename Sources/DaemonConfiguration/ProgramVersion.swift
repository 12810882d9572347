/// The version that all programs of the project show.
package enum ProgramVersion {
  package static let current = "0.1.0"
}
