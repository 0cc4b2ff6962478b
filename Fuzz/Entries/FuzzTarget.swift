internal import Tensors

/// A parser, or a layer of one, that takes bytes from strangers.
///
/// The fuzzer feeds its `check` with whatever it makes up, and the tests with what it once found. Anything
/// may be refused; a trap, a hang, a leak, memory out of proportion, an error that is our own fault, and
/// an accepted input that does not come out of a round trip as it went in are findings.
public struct FuzzTarget: Sendable {
  /// The name, as `script/fuzz` and the folders of regressions have it.
  public let name: String
  /// Inputs to begin with: files that are small and accepted.
  let seeds: @Sendable () throws -> [FuzzSeed]
  /// Parses, and checks what must hold of an accepted input.
  let check: @Sendable ([UInt8]) throws -> Void

  init(
    _ name: String, seeds: @escaping @Sendable () throws -> [FuzzSeed],
    check: @escaping @Sendable ([UInt8]) throws -> Void
  ) {
    self.name = name
    self.seeds = seeds
    self.check = check
  }

  /// Every target.
  public static let all: [FuzzTarget] = files + layers + texts

  /// The target of that name.
  public static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }

  /// How an input fares that a parser may refuse, and must survive.
  public enum Outcome: Sendable, Equatable {
    /// It was read, and what must hold holds.
    case accepted
    /// It was refused, with the class and the words of an error.
    case refused(String)
    /// Something is wrong with us.
    case finding(String)
  }

  /// Feeds `bytes` to the parser.
  public func run(_ bytes: [UInt8]) -> Outcome {
    do {
      try check(bytes)
      return .accepted
    } catch let error as IngotError {
      let text = "\(error.errorClass.rawValue): \(error)"
      guard Self.refusals.contains(error.errorClass) else {
        return .finding("an error of this class blames somebody else: \(text)")
      }
      return error.message.isEmpty ? .finding("an error without a word") : .refused(text)
    } catch {
      return .finding("\(error)")
    }
  }

  /// What an input alone can be to blame for.
  private static let refusals: Set<ErrorClass> = [
    .malformed, .integrity, .limit, .unsafe, .unsupported,
  ]
}

/// A file to begin with.
public struct FuzzSeed: Sendable {
  /// What it is called where it is put.
  public let name: String
  /// Its content.
  public let bytes: [UInt8]
}

/// A promise that was not kept.
struct FuzzFinding: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Takes `body` at its word: after an input was accepted, nothing may be wrong with it any more.
func promised<Result>(_ promise: String, _ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch let error as IngotError {
    throw FuzzFinding("\(promise): \(error.errorClass.rawValue): \(error)")
  }
}

extension FuzzTarget {
  /// The seeds of this target, for writing them to where the fuzzer looks.
  public func makeSeeds() throws -> [FuzzSeed] { try seeds() }
}
