import Testing

@testable import Daemon

@Suite struct MetricsTests {
  @Test func `samples of one metric share help and type, and labels are escaped`() {
    var metrics = MetricsText()
    metrics.add(.volumeUsed, UInt64(4096), [("name", "a\"b\\c\nd")])
    metrics.add(.volumeUsed, 1.5, [("name", "x")])
    #expect(
      metrics.text == """
        # HELP galleonfs_volume_used_bytes Bytes that the volume's data occupies.
        # TYPE galleonfs_volume_used_bytes gauge
        galleonfs_volume_used_bytes{name="a\\"b\\\\c\\nd"} 4096
        galleonfs_volume_used_bytes{name="x"} 1.5

        """)
  }

  @Test(arguments: Metric.all.map(\.name))
  func `a metric's name follows the rule`(name: String) {
    #expect(name.hasPrefix("galleonfs_") || name.hasPrefix("process_"))
    #expect(name.utf8.allSatisfy { ($0 >= 97 && $0 <= 122) || $0 == 95 })
  }

  @Test func `counters end in total and every name is declared once`() {
    for metric in Metric.all where metric.kind == .counter {
      #expect(metric.name.hasSuffix("_total"))
    }
    #expect(Set(Metric.all.map(\.name)).count == Metric.all.count)
  }
}
