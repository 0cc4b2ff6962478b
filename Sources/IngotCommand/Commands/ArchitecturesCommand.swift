internal import ArgumentParser
internal import Ingot

struct ArchitecturesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "architectures",
    abstract: "List the architectures, or print what one of them is.",
    discussion: """
      With a NAME: parameters, steps with the shapes of their weights, naming conventions. With --json as \
      well: the whole description, which can be edited and given to --architecture FILE of any command \
      (schemas/architecture.md says how it is written).
      """)

  @Argument(
    help: "A built-in architecture, or a JSON file that describes one.",
    completion: .custom { _, _, _ in Architecture.all.map(\.name) })
  var name: String?

  @Flag(name: .long, help: "Print the list, or the architecture, as JSON.")
  var json = false

  func run() throws {
    if let name {
      let architecture = try Architecture.resolve(name)
      StandardStreams.print(
        json ? architecture.json.text(.fitted) : ArchitectureOutline(architecture).text)
    } else if json {
      StandardStreams.print(Architecture.listJSON.text(.indented))
    } else {
      var table = TextTable([.left, .left, .left])
      for architecture in Architecture.all {
        table.append([
          architecture.name, architecture.conventions.map(\.name).joined(separator: " "),
          architecture.summary,
        ])
      }
      StandardStreams.print(table.lines().joined(separator: "\n"))
    }
  }
}
