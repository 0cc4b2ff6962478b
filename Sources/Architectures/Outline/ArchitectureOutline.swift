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
      return Row(parameter.name, parameter.fallback.map { "= \(Self.formula($0))" } ?? "", kind)
    }
  }

  private var inputs: [Row] {
    architecture.inputs.map { input in
      let kind =
        switch input.kind {
        case .ids: "ids below \(Self.formula(input.size))"
        case .mask: "mask, 1 is visible"
        case .pixels: "pictures of \(Self.formula(input.size)) channels"
        case .features: "features, \(Self.formula(input.size)) wide"
        case .frames: "frames, \(Self.formula(input.size)) wide"
        }
      let length = input.length.map { ", \(Self.formula($0)) of them" } ?? ""
      return Row(
        input.name,
        kind + length + (input.isOptional ? ", may be left out" : "")
          + Self.condition(input.condition))
    }
  }

  private var requirements: [Row] {
    architecture.requirements.map {
      Row(Self.formula($0.condition), "else: \($0.message.escapedForDisplay())")
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
            ? ", read and not written" : Self.condition(convention.prefixCondition))
      var details = ["\(used) names"]
      let laidOut = convention.spellings.count { !$0.layout.isEmpty }
      if laidOut > 0 { details.append("\(laidOut) laid out otherwise") }
      if convention.repeatsTied { details.append("tied weights twice") }
      details += convention.requirements.map { "only if \(Self.formula($0.condition))" }
      details += convention.adaptations.flatMap { adaptation in
        adaptation.values.sorted { $0.key < $1.key }.map { name, formula in
          "\(Self.shown(name)) made \(Self.formula(formula)) if \(Self.formula(adaptation.condition))"
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
        guard case .experts(let experts) = operation else { return [row(operation, indent)] }
        return [row(operation, indent)] + rows(experts.steps, indent: indent + 1)
      case .block(let block):
        return [Row("\(block.name) → \(block.output)", indent: indent)]
          + rows(block.steps, indent: indent + 1)
      case .loop(let loop):
        let shared = loop.sharesWeights ? ", all with the same weights" : ""
        return [
          Row(
            "\(loop.name)\(loop.sharesWeights ? "" : ".{\(loop.variable)}"), "
              + "\(formula(loop.count)) times\(shared)", indent: indent)
        ] + rows(loop.steps, indent: indent + 1)
      case .branch(let branch):
        var rows = [Row("if \(formula(branch.condition))", indent: indent)]
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

  private static func row(_ operation: Operation, _ indent: Int) -> Row {
    let weights = operation.weights.filter { !$0.condition.isNever }.map(text)
    guard let name = operation.name else {
      return Row("\(operation.output) = \(formula(of: operation))", indent: indent)
    }
    return Row(
      name, "\(operation.output) = \(formula(of: operation))", weights.joined(separator: "; "),
      indent: indent)
  }

  private static func text(_ weight: Weight) -> String {
    let shape = weight.shape.map(formula).joined(separator: ", ")
    let tie = weight.tie.map { " = \($0.role)\(condition($0.condition))" } ?? ""
    let frozen = weight.isFrozen.isNever ? "" : " frozen\(condition(weight.isFrozen))"
    return "\(weight.name) [\(shape)]" + condition(weight.condition) + tie + frozen
  }

  /// What an operation does, in one line.
  private static func formula(of operation: Operation) -> String {
    switch operation {
    case .embedding(let it): "rows of \(it.input)"
    case .positions(let it):
      switch it.numbering {
      case .sequence: "rows of the positions of \(it.input)" + from(it.offset)
      case .visibleTokens: "rows of the visible positions of \(it.input)" + from(it.offset)
      }
    case .sinusoids(let it): "sinusoids(positions of \(it.input), \(formula(it.width)))"
    case .patches(let it): "patches(\(it.input), \(formula(it.patch)))"
    case .convolution(let it):
      "convolution(\(it.input))  \(formula(it.inputs)) → \(formula(it.outputs)), "
        + "kernel \(formula(it.kernel))"
        + (it.stride == 1 ? "" : ", stride \(formula(it.stride))")
        + (it.padding == 0 ? "" : ", padding \(formula(it.padding))")
    case .prefix(let it): "a learned vector, \(it.input)"
    case .linear(let it):
      "linear(\(it.input))  \(formula(it.inputs)) → \(formula(it.outputs))"
    case .norm(let it):
      "\(norm(it.kind))(\(it.input), ε = \(formula(it.epsilon)))"
        + (it.offset == 0 ? "" : ", weight + \(formula(it.offset))")
    case .rotary(let it):
      "rotary(\(it.input))  \(formula(it.heads)) heads, \(formula(it.dimensions)) of "
        + "\(formula(it.headSize)) components in \(it.order.rawValue), base \(formula(it.base))"
        + (it.scaling.map { ", scaling \(formula($0.kind))" } ?? "")
    case .relativeBias(let it):
      "relative bias(\(it.queries), \(it.keys))  \(formula(it.buckets)) buckets to "
        + "\(formula(it.farthest))"
        + (it.isBidirectional.isNever
          ? ", keys before queries" : ", both ways\(condition(it.isBidirectional))")
    case .attention(let it): attention(it)
    case .activation(let it): "\(formula(it.function))(\(it.input))"
    case .combine(let it): "\(it.left) \(it.kind == .add ? "+" : "·") \(it.right)"
    case .scale(let it): "\(it.input) · (\(formula(it.factor)))"
    case .softCap(let it): "soft cap(\(it.input), \(formula(it.cap)))"
    case .slice(let it):
      "\(it.input)[\(formula(it.start)) and \(formula(it.count)) on]" + groups(it.groups)
    case .concatenate(let it):
      "\(it.left) ++ \(it.right)" + groups(it.groups)
        + (it.sharesRight ? ", the same \(it.right) for each" : "")
    case .firstPosition(let it): "first position of \(it.input)"
    case .experts(let it):
      "the best \(formula(it.active)) of \(formula(it.count)) experts"
        + (it.groups == 1
          ? "" : " in the best \(formula(it.activeGroups)) of \(formula(it.groups)) groups")
        + " of \(it.input), each giving "
        + it.result
        + (it.normalizes.isNever
          ? ""
          : ", weights made to sum to 1"
            + condition(it.normalizes))
    }
  }

  private static func attention(_ it: Operation.Attention) -> String {
    var text = "attention(\(it.query), \(it.key), \(it.value))  \(formula(it.heads)) heads"
    if it.keyHeads != it.heads { text += ", \(formula(it.keyHeads)) key heads" }
    if !it.isCausal.isNever { text += ", causal\(condition(it.isCausal))" }
    if it.window != 0 { text += ", window \(formula(it.window))" }
    if let scale = it.scale { text += ", scale \(formula(scale))" }
    if it.softCap != 0 { text += ", soft cap \(formula(it.softCap))" }
    if let bias = it.bias { text += ", + \(bias)" }
    if !it.alibi.isNever { text += ", ALiBi\(condition(it.alibi))" }
    if let mask = it.mask { text += ", mask \(mask)" }
    return text
  }

  private static func norm(_ kind: Operation.Norm.Kind) -> String {
    switch kind {
    case .layer: "layer norm"
    case .rms: "RMS norm"
    case .bessel: "layer norm with Bessel's correction"
    }
  }

  private static func groups(_ groups: Expression) -> String {
    groups == 1 ? "" : " in each of \(formula(groups)) groups"
  }

  private static func from(_ offset: Expression) -> String {
    offset == 0 ? "" : " from row \(formula(offset)) on"
  }

  private static func condition(_ condition: Expression) -> String {
    condition.isAlways ? "" : " if \(formula(condition))"
  }

  /// A formula as it is printed: `heads·head_size`.
  private static func formula(_ expression: Expression) -> String {
    if case .constant(.word(let word)) = expression.node { return shown(word) }
    return shown(
      expression.text.split(separator: " * ", omittingEmptySubsequences: false)
        .joined(separator: "·"))
  }

  private static func shown(_ text: String) -> String { text.escapedForDisplay(limit: 300) }

  private static func shown(_ text: ExactString) -> String { shown(text.text) }
}
