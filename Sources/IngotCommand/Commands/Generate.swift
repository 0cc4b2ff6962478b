internal import ArgumentParser
internal import Ingot

struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Continue a sequence of token ids with the reference forward pass.",
    discussion: """
      Prints the ids that follow, separated by commas. Always takes the likeliest token unless \
      --temperature is given; the same seed gives the same tokens. Ends after a token that ends \
      sequences by the configuration (eos_token_id) or by --stop. An encoder-decoder reads the prompt \
      with its encoder and decodes from the start token (decoder_start_token_id, bos_token_id, or \
      --start).

      Examples:
        ingot generate model/ --tokens 464,2068,7586 --max-new 5
        ingot generate model/ --tokens 464 --temperature 0.8 --top-k 40 --seed 1
      """)

  @Argument(
    help: "A checkpoint: a file, a shard index, or a model directory.",
    completion: .file(extensions: Formats.fileExtensionsWithoutDots))
  var path: String

  @Option(name: .long, help: ArgumentHelp("The token ids to continue: 1,2,3.", valueName: "ids"))
  var tokens: TokensArgument

  @Option(
    name: .customLong("max-new"),
    help: ArgumentHelp(
      "How many tokens to add at most (20, or what the positions leave room for).",
      valueName: "count"))
  var mostTokens: Int?

  @Option(name: .long, help: "Sample with this temperature; 0 takes the likeliest token (0).")
  var temperature: Double?

  @Option(
    name: .customLong("top-k"),
    help: ArgumentHelp("Sample among this many likeliest tokens.", valueName: "count"))
  var topK: Int?

  @Option(name: .long, help: "Where chance begins when sampling (0).")
  var seed: UInt64?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The tokens that end the sequence, in place of the configuration's.", valueName: "ids"))
  var stop: TokensArgument?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The token that the decoder of an encoder-decoder begins with.", valueName: "id"))
  var start: Int?

  @OptionGroup var reading: ReadingArguments
  @OptionGroup var model: ModelArguments

  @Option(name: .long, help: "The arithmetic: float64 or float32.")
  var precision = PrecisionArgument(.float64)

  @Flag(name: .long, help: "Print the report as JSON.")
  var json = false

  mutating func validate() throws {
    if let mostTokens, mostTokens < 1 {
      throw ValidationError("--max-new takes a number from 1 on")
    }
    if let temperature, !(temperature >= 0 && temperature.isFinite) {
      throw ValidationError("--temperature takes a number from 0 on")
    }
    if let topK, topK < 1 { throw ValidationError("--top-k takes a number from 1 on") }
    if temperature ?? 0 == 0, topK != nil || seed != nil {
      throw ValidationError("--top-k and --seed need a --temperature above 0")
    }
  }

  func run() throws {
    SystemCalls.preferHugeHeap()
    let checkpoint = try reading.open(path)
    var generation = Generation(
      try ModelSource(checkpoint, model.options), prompt: tokens.tokens)
    generation.mostTokens = mostTokens
    generation.temperature = temperature ?? 0
    generation.topK = topK
    generation.seed = seed ?? 0
    generation.stops = stop?.tokens
    generation.start = start
    generation.precision = precision.value
    generation.jobs = reading.jobs
    let result = try generation.run()
    if json {
      StandardStreams.print(result.json)
    } else {
      StandardStreams.print(result.tokens.map(String.init).joined(separator: ","))
    }
    generation.source.printNotes()
  }
}

/// `1,2,3`.
struct TokensArgument: ExpressibleByArgument {
  let tokens: [Int]

  init?(argument: String) {
    let words = argument.split(separator: ",", omittingEmptySubsequences: false)
    tokens = words.compactMap { Int($0) }
    guard tokens.count == words.count else { return nil }
  }
}
