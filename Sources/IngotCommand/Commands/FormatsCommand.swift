internal import ArgumentParser
internal import Ingot

struct FormatsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "formats", abstract: "List the formats and their file extensions.")

  @Flag(name: .long, help: "Print the list as JSON.")
  var json = false

  func run() throws {
    if json {
      StandardStreams.print(Formats.json)
      return
    }
    var table = TextTable([.left, .left, .left])
    for format in Formats.all {
      table.append([
        format.identifier, format.fileExtensions.joined(separator: " "), format.summary,
      ])
    }
    StandardStreams.print(table.lines().joined(separator: "\n"))
  }
}
