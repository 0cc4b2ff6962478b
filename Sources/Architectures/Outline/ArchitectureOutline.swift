internal import Tensors

/// A description as people read it: parameters, inputs, the steps in the order of the paper with the
/// shapes of their weights, and how ecosystems spell it all.
public struct ArchitectureOutline: Sendable {
  private let architecture: Architecture

  /// Outlines a description.
  public init(_ architecture: Architecture) { self.architecture = architecture }

  /// The outline, lines without blanks at their ends.
  public var text: String {
    var lines = [architecture.name, "  " + architecture.summary.escapedForDisplay(limit: 500)]
    let sections = [
      ("parameters", parameters), ("inputs", inputs), ("requirements", requirements),
      ("steps", steps), ("conventions", conventions), ("configurations", dialects),
    ]
    for (title, rows) in sections where !rows.isEmpty {
      lines += ["", title] + Self.aligned(rows)
    }
    return lines.joined(separator: "\n")
  }
}

/// Rows and columns.
extension ArchitectureOutline {
  /// A line in columns; those of one section stand below each other.
  fileprivate struct Row {
    var indent = 1
    let cells: [String]

    init(_ cells: String..., indent: Int = 1) {
      self.cells = cells
      self.indent = indent
    }
  }

  /// Wider cells push their neighbours aside and do not widen the column for all.
  private static let widest = 44

  private static func aligned(_ rows: [Row]) -> [String] {
    var widths: [Int] = []
    for row in rows {
      // A row of one cell is a title and in nobody's way.
      for (column, cell) in row.cells.enumerated() where column < row.cells.count - 1 {
        if column == widths.count { widths.append(0) }
        let width = cell.count + (column == 0 ? row.indent * 2 : 0)
        if width <= widest { widths[column] = max(widths[column], width) }
      }
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.cells.enumerated() {
        let indented = (column == 0 ? String(repeating: "  ", count: row.indent) : "") + cell
        line += indented
        if column < row.cells.count - 1 {
          line += String(repeating: " ", count: max(0, widths[column] - indented.count) + 2)
        }
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}

/// Everything but the steps.
extension ArchitectureOutline {
  private var parameters: [Row] {
    architecture.parameters.map { parameter in
      let kind =
        switch parameter.kind {
        case .count: parameter.minimum == 1 ? "count" : "count from \(parameter.minimum)"
        case .real: "number"
        case .flag: "true or false"
        case .word: parameter.words.map(Self.shown).joined(separator: " | ")
        case .counts: "list of counts"
        }
      return Row(parameter.name, parameter.fallback.map { "= \($0.outlined)" } ?? "", kind)
    }
  }

  private var inputs: [Row] {
    architecture.inputs.map { input in
      let kind =
        switch input.kind {
        case .ids: "ids below \(input.size.outlined)"
        case .mask: "mask, 1 is visible"
        case .pixels: "pictures of \(input.size.outlined) channels"
        case .features: "features, \(input.size.outlined) wide"
        case .frames: "frames, \(input.size.outlined) wide"
        }
      let length = input.length.map { ", \($0.outlined) of them" } ?? ""
      return Row(
        input.name,
        kind + length + (input.isOptional ? ", may be left out" : "")
          + input.condition.outlinedCondition)
    }
  }

  private var requirements: [Row] {
    architecture.requirements.map {
      Row($0.condition.outlined, "else: \($0.message.escapedForDisplay())")
    }
  }

  private var conventions: [Row] {
    let weights = Set(architecture.described().weights.map(\.pattern))
    return architecture.conventions.map { convention in
      // Spellings that models share name weights that not every one of them has.
      let used = convention.spellings.count { weights.contains($0.roles.first ?? "") }
      let prefix =
        convention.prefix.isEmpty
        ? "no prefix"
        : "prefix \(Self.shown(convention.prefix))"
          + (convention.prefixCondition.isNever
            ? ", read and not written" : convention.prefixCondition.outlinedCondition)
      var details = ["\(used) names"]
      let laidOut = convention.spellings.count { !$0.layout.isEmpty }
      if laidOut > 0 { details.append("\(laidOut) laid out otherwise") }
      if convention.repeatsTied { details.append("tied weights twice") }
      details += convention.requirements.map { "only if \($0.condition.outlined)" }
      details += convention.adaptations.flatMap { adaptation in
        adaptation.values.sorted { $0.key < $1.key }.map { name, formula in
          "\(Self.shown(name)) made \(formula.outlined) if \(adaptation.condition.outlined)"
        }
      }
      if !convention.buffers.isEmpty { details.append("\(convention.buffers.count) buffers") }
      return Row(convention.name, prefix, details.joined(separator: ", "))
    }
  }

  private var dialects: [Row] {
    architecture.dialects.map { dialect in
      Row(
        dialect.name, "\(dialect.keys.count) keys",
        "\(Self.shown(dialect.recognition.key)) is "
          + dialect.recognition.values.map(Self.shown).joined(separator: " or "))
    }
  }
}

/// The steps.
extension ArchitectureOutline {
  private var steps: [Row] { Self.rows(architecture.steps, indent: 1) }

  private static func rows(_ steps: [Step], indent: Int) -> [Row] {
    steps.flatMap { step -> [Row] in
      switch step {
      case .operation(let operation):
        return [row(operation.content, indent)]
          + rows(operation.inner?.steps ?? [], indent: indent + 1)
      case .block(let block):
        return [Row("\(block.name) → \(block.output)", indent: indent)]
          + rows(block.steps, indent: indent + 1)
      case .loop(let loop):
        let shared = loop.sharesWeights ? ", all with the same weights" : ""
        return [
          Row(
            "\(loop.name)\(loop.sharesWeights ? "" : ".{\(loop.variable)}"), "
              + "\(loop.count.outlined) times\(shared)", indent: indent)
        ] + rows(loop.steps, indent: indent + 1)
      case .branch(let branch):
        var rows = [Row("if \(branch.condition.outlined)", indent: indent)]
        rows += Self.rows(branch.then, indent: indent + 1)
        guard !branch.otherwise.isEmpty else { return rows }
        return rows + [Row("else", indent: indent)]
          + Self.rows(branch.otherwise, indent: indent + 1)
      case .state(let value, let series):
        return [Row("\(value) is a state of \(series)", indent: indent)]
      case .result(let value, let name):
        return [Row("\(value) is the result \(name)", indent: indent)]
      }
    }
  }

  private static func row(_ operation: some ModelOperation, _ indent: Int) -> Row {
    let formula = "\(operation.output) = \(operation.outline)"
    guard let name = operation.roleName else { return Row(formula, indent: indent) }
    let weights = operation.weights.filter { !$0.condition.isNever }.map(text)
    return Row(name, formula, weights.joined(separator: "; "), indent: indent)
  }

  private static func text(_ weight: Weight) -> String {
    let shape = weight.shape.map(\.outlined).joined(separator: ", ")
    let tie = weight.tie.map { " = \($0.role)\($0.condition.outlinedCondition)" } ?? ""
    let frozen = weight.isFrozen.isNever ? "" : " frozen\(weight.isFrozen.outlinedCondition)"
    return "\(weight.name) [\(shape)]" + weight.condition.outlinedCondition + tie + frozen
  }

  fileprivate static func shown(_ text: String) -> String { text.escapedForDisplay(limit: 300) }

  fileprivate static func shown(_ text: ExactString) -> String { shown(text.text) }
}

/// Formulas as they are printed.
extension Expression {
  /// The formula: `heads·head_size`.
  var outlined: String {
    if case .constant(.word(let word)) = node { return ArchitectureOutline.shown(word) }
    return ArchitectureOutline.shown(
      text.split(separator: " * ", omittingEmptySubsequences: false).joined(separator: "·"))
  }

  /// The condition behind what depends on it; nothing where it always holds.
  var outlinedCondition: String { isAlways ? "" : " if \(outlined)" }

  /// The number of groups behind what is done in each; nothing where there is one.
  var outlinedGroups: String { self == 1 ? "" : " in each of \(outlined) groups" }
}
