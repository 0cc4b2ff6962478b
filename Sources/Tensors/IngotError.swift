/// What kind of failure an error is; decides the exit status and whether a user can lift it.
///
/// The set is closed: scripts and CI jobs branch on it.
public enum ErrorClass: String, Sendable, CaseIterable {
  /// The input breaks its format's rules, or two places in it disagree.
  case malformed
  /// A checksum stored in the input does not match its data.
  case integrity
  /// The input is well-formed but above a stated bound.
  case limit
  /// The input would need code, a foreign path or a foreign class. Never overridable.
  case unsafe
  /// Legal and known, but nothing that Ingot reads or writes, or not expressible in the destination.
  case unsupported
  /// The input is absent, may not be read, or is not a regular file.
  case unreadable
  /// The source changed or shrank while it was being read.
  case changed
  /// A read or a write failed.
  case io
  /// The destination may not be created or replaced.
  case output
  /// A mistake of ours.
  case `internal`
  /// The command line asks for something that makes no sense.
  case usage

  /// The exit status of a command that fails with this class (the numbers are those of `sysexits`).
  public var exitStatus: Int32 {
    switch self {
    case .malformed, .integrity, .limit, .unsafe: 65
    case .unsupported: 69
    case .unreadable: 66
    case .changed, .io: 74
    case .output: 73
    case .internal: 70
    case .usage: 64
    }
  }
}

/// A failure that names where it lies: file, tensor, byte, what was expected and what was found.
public struct IngotError: Error, Sendable, Hashable {
  /// What kind of failure this is.
  public var errorClass: ErrorClass
  /// What is wrong, without file, tensor or offset, which have fields of their own.
  public var message: String
  /// The path of the file as the user gave it.
  public var file: String?
  /// The tensor, archive member or attribute at fault.
  public var tensor: ExactString?
  /// The byte offset in `file` at which the fault lies.
  public var offset: Int?
  /// What the user can do next, where there is something.
  public var hint: String?

  /// Creates an error; leave out what is not known where it is thrown.
  public init(
    _ errorClass: ErrorClass, _ message: String, file: String? = nil, tensor: ExactString? = nil,
    offset: Int? = nil, hint: String? = nil
  ) {
    self.errorClass = errorClass
    self.message = message
    self.file = file
    self.tensor = tensor
    self.offset = offset
    self.hint = hint
  }

  /// The error with its file, tensor and offset filled in where it had none.
  public func naming(
    file: String? = nil, tensor: ExactString? = nil, offset: Int? = nil
  ) -> IngotError {
    var named = self
    named.file = self.file ?? file
    named.tensor = self.tensor ?? tensor
    named.offset = self.offset ?? offset
    return named
  }
}

extension IngotError: CustomStringConvertible {
  /// One line: file, tensor, byte and message; control characters are escaped.
  public var description: String {
    var parts: [String] = []
    if let file { parts.append(file.escapedForDisplay(limit: 1024)) }
    if let tensor { parts.append("tensor '\(tensor.escapedForDisplay())'") }
    if let offset { parts.append("byte \(offset)") }
    parts.append(message.escapedForDisplay(limit: 2048))
    return parts.joined(separator: ": ")
  }
}

/// Runs `body` and fills in the file, the tensor and the offset of an `IngotError` that leaves it.
package func naming<Result>(
  file: String? = nil, tensor: ExactString? = nil, offset: Int? = nil, _ body: () throws -> Result
) throws -> Result {
  do {
    return try body()
  } catch let error as IngotError {
    throw error.naming(file: file, tensor: tensor, offset: offset)
  }
}
