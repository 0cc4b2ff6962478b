import Foundation
import Ingot
import Tensors
import TestSupport
import Testing

/// Every model fixture is understood, counted, and carried into every other convention and back.
@Suite struct ModelFixtureTests {
  @Test func `there are fixtures of every architecture`() {
    let missing = Set(Architecture.all.map(\.name)).subtracting(
      ModelFixture.all.map(\.architecture))
    #expect(missing == [])
  }

  @Test(arguments: ModelFixture.all)
  func `is valid and has the library's own count`(_ fixture: ModelFixture) throws {
    let source = try fixture.source()
    #expect(source.model.architecture.name == fixture.architecture)
    #expect(source.reading?.convention.name == fixture.convention)
    let validation = try Validation(source, expectedParameters: fixture.parameters)
    #expect(validation.missing == [])
    #expect(validation.unexpected == [])
    #expect(validation.mismatched == [])
    #expect(validation.foundParameters == fixture.parameters)
    #expect(validation.account?.unexplained ?? 0 == 0)
    #expect(validation.isValid)
  }

  @Test(arguments: ModelFixture.all.filter(\.hasOlderConfiguration))
  func `is the same model by the configuration that transformers 4 wrote`(
    _ fixture: ModelFixture
  ) throws {
    let (newer, older) = try (fixture.source().model, fixture.olderModel())
    #expect(older.architecture.name == newer.architecture.name)
    for (name, entry) in newer.values {
      let other = older.values.first { $0.name == name }
      #expect(other?.entry.value == entry.value, "\(name): \(other?.entry.source ?? "")")
    }
  }

  /// What no shape tells.
  private static let untold: Set<ExactString> = [
    "heads", "key_heads", "head_size", "image_height", "image_width",
  ]

  /// How many layers share one layer's weights; which layers have experts.
  private static let untoldOf: [String: Set<ExactString>] = [
    "albert": ["layers"], "deepseek_v2": ["dense_layers"],
  ]

  @Test(arguments: ModelFixture.all)
  func `is told from names and shapes alone`(_ fixture: ModelFixture) throws {
    let known = try fixture.source().model
    let table = try Checkpoint(path: fixture.weights).table
    do {
      let reading = try ModelReading.read(table, as: Architecture.all, documents: []) { _ in
        var settings = Configuration()
        let untold = Self.untold.union(Self.untoldOf[fixture.architecture] ?? [])
        for (name, entry) in known.configuration.entries where untold.contains(name) {
          settings[name] = entry
        }
        return settings
      }
      #expect(reading.model.architecture.name == fixture.architecture)
      #expect(reading.convention.name == fixture.convention)
      #expect(reading.unexpected == [])
      // In any order: whether norms come first is told by no name.
      let (found, expected) = (Self.shapes(reading.model), Self.shapes(known))
      // A tied head need not be there, and where it is, it may be one of its own.
      let ties = Set(
        (reading.model.weights + known.weights).filter { $0.tiedTo != nil }.map(\.role))
      #expect(Set(found.keys).symmetricDifference(expected.keys).subtracting(ties) == [])
      for (role, shape) in expected where !ties.contains(role) {
        #expect(found[role] == shape, "\(role)")
      }
    } catch let error as IngotError {
      // Architectures with the same tensors differ in what they compute alone.
      #expect(error.errorClass == .unsupported)
      #expect(error.message.contains("equally well"))
      #expect(error.message.contains(fixture.architecture))
    }
  }

  private static func shapes(_ model: Model) -> [String: Shape] {
    Dictionary(model.weights.map { ($0.role, $0.shape) }) { first, _ in first }
  }

  @Test(arguments: ModelFixture.all)
  func `goes into every other convention and comes back`(_ fixture: ModelFixture) throws {
    let source = try fixture.source()
    let checkpoint = try #require(source.checkpoint)
    let reading = try #require(source.reading)
    for convention in source.model.architecture.conventions {
      let there: Respelling
      do {
        there = try Respelling(checkpoint.table, reading, to: convention) { _ in false }
      } catch let error as IngotError where error.errorClass == .unsupported {
        // Not every ecosystem has every variant of a model; it then says what it lacks.
        #expect(error.message.hasPrefix("\(convention.name) of \(fixture.architecture): "))
        continue
      }
      #expect(there.obstacles.isEmpty)
      let table = try TensorTable().replacingEntries(there.entries)
      let settled = there.model.configuration
      let other = try ModelReading.read(
        table, as: [source.model.architecture], documents: [], settings: { _ in settled })
      #expect(other.unexpected == [], "\(convention.name)")
      let back = try Respelling(table, other, to: reading.convention) { _ in false }
      #expect(back.obstacles.isEmpty, "\(convention.name)")
      // What the other ecosystem has no place for went on the way, and is zeros or nothing now.
      let lost = there.rows.filter {
        [.firstRowsDropped, .zerosDropped, .folded].contains($0.remark)
      }
      try Self.expect(
        back.entries, are: checkpoint.table, without: reading, but: Set(lost.flatMap(\.from)),
        convention.name)
    }
  }

  private static func expect(
    _ entries: [TensorTable.Entry], are table: TensorTable, without reading: ModelReading,
    but lost: Set<ExactString>, _ convention: String
  ) throws {
    // Some files have other names for a tensor, which are read and not written.
    let written = Dictionary(
      reading.tensors.compactMap { stored, name in name.map { ($0, reading.name(of: stored)) } }
    ) { first, _ in first }
    let ties = Set(reading.tensors.compactMap { $0.stored.isTied ? $0.name : nil })
    let expected = table.entries.map(\.name)
      .filter {
        !reading.buffers.contains($0) && (reading.convention.repeatsTied || !ties.contains($0))
      }
    let wrapped = entries.map { entry in
      // What stands before the names is the writer's choice: GPT2Model has none, GPT2LMHeadModel has.
      expected.first { written[$0] == entry.name } ?? expected.first { $0.hasSuffix(entry.name) }
        ?? expected.first { entry.name.hasSuffix($0) } ?? entry.name
    }
    #expect(
      Set(wrapped).subtracting(lost) == Set(expected).subtracting(lost)
        && wrapped.count == Set(wrapped).count, "\(convention)")
    for (name, entry) in zip(wrapped, entries) where !lost.contains(name) {
      let original = try #require(table[name])
      #expect(entry.tensor.shape == original.shape)
      #expect(try bytes(entry.tensor) == bytes(original), "\(convention): \(name)")
    }
  }

  private static func bytes(_ tensor: Tensor) throws -> [UInt8] {
    try tensor.source.bytes(at: 0, count: tensor.byteCount, "a tensor")
  }
}
