internal import Ingot

/// `ingot params` for people: where the parameters are at a glance, then what they cost.
struct ParametersText {
  private let report: ParametersReport
  private var counts: ParameterCounts { report.counts }
  /// What a plain terminal shows.
  private static let width = 80

  init(_ report: ParametersReport) { self.report = report }

  var text: String {
    let sections = [
      heading, componentLines, layerLines, remarkLines, practiceLines, estimateLines, costLines,
      memoryLines,
    ]
    return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
      .joined(separator: "\n\n")
  }

  private var heading: [String] {
    let total = "\(ByteText.count(counts.total)) parameters"
    guard let model = report.model else { return ["unknown architecture: \(total)"] }
    return ["\(model.architecture.name.escapedForDisplay()): \(total)"]
  }

  // MARK: Parameters

  private var componentLines: [String] {
    guard let largest = counts.byComponent.map(\.elements).max(), largest > 0 else { return [] }
    var table = TextTable([.left, .right, .right])
    for component in counts.byComponent {
      table.append([
        component.name, ByteText.count(component.elements),
        ByteText.percent(share(component.elements)),
      ])
    }
    let lines = table.lines(indent: "  ")
    let room = max(10, Self.width - (lines.map(\.count).max() ?? 0) - 2)
    return zip(lines, counts.byComponent).map { line, component in
      "\(line)  \(Self.bar(Double(component.elements) / Double(largest), room))"
    }
  }

  private func share(_ elements: Int) -> Double { Double(elements) / Double(max(counts.total, 1)) }

  /// A bar of blocks, drawn to an eighth of a character; what is there at all is seen.
  static func bar(_ share: Double, _ width: Int) -> String {
    let eighths = max(share > 0 ? 1 : 0, Int((share * Double(width * 8)).rounded()))
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
  }

  /// Layers of one size that follow each other share a line.
  private var layerLines: [String] {
    struct Run {
      let stack: String
      let first: String
      var last: String
      let elements: Int
    }
    var runs: [Run] = []
    for layer in counts.byLayer {
      let parts = layer.name.split(separator: ".")
      let stack = parts.dropLast().joined(separator: ".")
      let number = parts.last.map(String.init) ?? ""
      if let last = runs.last, last.stack == stack, last.elements == layer.elements {
        runs[runs.count - 1].last = number
      } else {
        runs.append(Run(stack: stack, first: number, last: number, elements: layer.elements))
      }
    }
    let most = 12
    var table = TextTable([.left, .right, .left])
    for run in runs.prefix(most) {
      let isOne = run.first == run.last
      table.append([
        "\(run.stack).\(run.first)" + (isOne ? "" : "–\(run.last)"), ByteText.count(run.elements),
        isOne ? "" : "each",
      ])
    }
    let more = runs.count > most ? ["  and \(runs.count - most) more (--json shows all)"] : []
    return table.lines(indent: "  ") + more
  }

  private var remarkLines: [String] {
    var table = TextTable([.left, .right, .left])
    if counts.trainable != counts.total {
      table.append(["trainable", ByteText.count(counts.trainable), ""])
    }
    if counts.active != counts.total {
      table.append([
        "active", ByteText.count(counts.active), "used for each token, of all experts",
      ])
    }
    if counts.tied > 0 {
      table.append(["tied", ByteText.count(counts.tied), "used twice, counted once"])
    }
    if counts.buffers > 0 {
      table.append(["buffers", ByteText.count(counts.buffers), "in the file, no parameters"])
    }
    table.append([
      "weight decay", ByteText.count(counts.decayed), "in tensors of two and more dimensions",
    ])
    table.append(["no weight decay", ByteText.count(counts.undecayed), "in the rest"])
    return table.lines(indent: "  ")
  }

  private var practiceLines: [String] {
    guard !counts.practices.isEmpty else { return [] }
    var table = TextTable([.left, .right, .left])
    for (count, practice) in zip(counts.practices, ParameterCounts.Practice.allCases) {
      table.append([count.name, ByteText.count(count.elements), practice.summary])
    }
    return ["\"non-embedding parameters\", as counted by"] + table.lines(indent: "  ")
  }

  // MARK: The account

  private var estimateLines: [String] {
    guard let estimate = report.estimate else { return [] }
    var rows = [("12·l·d²", ByteText.count(estimate.value))]
    for entry in estimate.explained {
      rows.append((entry.term.rawValue, Self.signed(entry.elements)))
    }
    if estimate.unexplained != 0 {
      rows.append(("unexplained", Self.signed(estimate.unexplained)))
    }
    let total = ("non_embedding", ByteText.count(estimate.nonEmbedding))
    var table = TextTable([.left, .right])
    for row in rows + [total] { table.append([row.0, row.1]) }
    var lines = table.lines(indent: "  ")
    let width = lines.map(\.count).max() ?? 0
    lines.insert("  " + String(repeating: "─", count: width - 2), at: lines.count - 1)
    let off = estimate.ratio.map { "; the estimate is \(ByteText.percent($0)) of it" } ?? ""
    lines.append("  a layer: \(estimate.perLayer)\(off)")
    if let reason = estimate.reason { lines.append("  why: \(reason)") }
    if !estimate.unexplainedRoles.isEmpty {
      let roles = estimate.unexplainedRoles.prefix(5).map { $0.escapedForDisplay() }
      let more = estimate.unexplainedRoles.count > 5 ? " …" : ""
      lines.append("  no term names \(roles.joined(separator: ", "))\(more)")
    }
    let sizes = "l = \(ByteText.count(estimate.layers)), d = \(ByteText.count(estimate.width))"
    return ["12·l·d² with \(sizes), and what it leaves out"] + lines
  }

  private static func signed(_ elements: Int) -> String {
    (elements > 0 ? "+" : "") + ByteText.count(elements)
  }

  // MARK: Cost

  private var costLines: [String] {
    guard let cost = report.cost else { return [] }
    var table = TextTable([.left, .right])
    for entry in cost.terms where entry.flops > 0 {
      table.append([entry.term.rawValue, ByteText.flops(Double(entry.flops))])
    }
    table.append(["forward", ByteText.flops(Double(cost.forward))])
    table.append(["forward per token", ByteText.flops(cost.forwardPerToken)])
    table.append(["training per token", ByteText.flops(cost.trainingPerToken)])
    var lines = ["a forward pass of batch \(cost.batch), sequence \(cost.sequence)"]
    lines += table.lines(indent: "  ")
    if cost.visibleForward != cost.forward {
      lines.append(
        "  scores count every pair; without the masked ones forward is "
          + ByteText.flops(Double(cost.visibleForward)))
    }
    let parameters = counts.active - counts.embedding
    var line =
      "  6·N with N = \(ByteText.count(parameters)): "
      + "\(ByteText.flops(6 * Double(parameters))) per token"
    if let estimate = report.estimate {
      let share = cost.attentionCorrection(width: estimate.width)
      line += "; scores add s/(6d) = \(ByteText.percent(share))"
    }
    return lines + [line]
  }

  private var memoryLines: [String] {
    guard let memory = report.memory else {
      return ["memory in \(report.elementType.name)", "  weights  \(size(report.weightBytes))"]
    }
    var table = TextTable([.left, .right, .left])
    for (name, bytes, note) in [
      ("weights", memory.weights, ""), ("kv_cache", memory.cache, ""),
      ("activations", memory.activations, "the most that is alive at once"),
      ("inference", memory.inference, "weights, cache and activations"),
      ("gradients", memory.gradients, ""), ("optimizer", memory.optimizer, "AdamW in float32"),
      ("saved_activations", memory.savedActivations, "all outputs, for the backward pass"),
      ("training", memory.training, "weights and the three above"),
    ] {
      table.append([name, size(bytes), note])
    }
    let rest = memory.elementType.hasBlocks ? ", all but the weights in float32" : ""
    return ["memory in \(memory.elementType.name)\(rest)"] + table.lines(indent: "  ")
  }

  private func size(_ bytes: Int) -> String { ByteText.size(bytes) }
}
