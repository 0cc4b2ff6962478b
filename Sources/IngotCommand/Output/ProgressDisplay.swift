internal import Dispatch
internal import Ingot

/// Shows a conversion's progress on a terminal, for anything that takes over a second.
final class ProgressDisplay: Sendable {
  private let meter: ProgressMeter
  private let width: Int
  // Used by the thread that creates and finishes the display, and by nobody else.
  private nonisolated(unsafe) let timer: any DispatchSourceTimer
  private let queue = DispatchQueue(label: "progress")
  private let start = DispatchTime.now()

  /// Starts showing `meter`; nil where stderr is no terminal.
  init?(_ meter: ProgressMeter) {
    guard let width = StandardStreams.terminalWidth else { return nil }
    self.meter = meter
    self.width = width
    unsafe timer = DispatchSource.makeTimerSource(queue: queue)
    unsafe timer.schedule(deadline: .now() + 1, repeating: 0.1)
    unsafe timer.setEventHandler { [weak self] in self?.draw() }
    unsafe timer.activate()
  }

  /// Stops and erases the line.
  func finish() {
    unsafe timer.cancel()
    queue.sync {
      if DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds > 1_000_000_000 {
        StandardStreams.progress("\r\u{1B}[K")
      }
    }
  }

  private func draw() {
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e9
    let done = meter.completedBytes
    let total = max(done, meter.totalBytes)
    let rate = Double(done) / seconds
    var line = "\(ByteText.size(done)) of \(ByteText.size(total))  \(ByteText.size(Int(rate)))/s"
    if rate > 0, done < total {
      let left = Int((Double(total - done) / rate).rounded(.up))
      line += "  \(left / 60):\(left % 60 < 10 ? "0" : "")\(left % 60) left"
    }
    line += "  " + meter.currentName.escapedForDisplay(limit: 60)
    StandardStreams.progress("\r\u{1B}[K" + String(line.prefix(width - 1)))
  }
}
