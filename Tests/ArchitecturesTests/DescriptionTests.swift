import Tensors
import TestSupport
import Testing

@testable import Architectures

/// What holds for every built-in architecture, in every convention.
@Suite struct DescriptionTests {
  @Test(arguments: Architecture.all.map(\.name))
  func `has small models`(name: String) throws {
    let architecture = try #require(Architecture.named(name))
    let sizes = try #require(SmallModels.sizes[architecture.name])
    _ = try Model(architecture, Configuration(sizes.mapValues(Value.integer)))
    for convention in architecture.conventions {
      #expect(
        try !SmallModels.models(of: architecture, in: convention).isEmpty, "\(convention.name)")
    }
  }

  @Test func `no two architectures share a name`() {
    #expect(Set(Architecture.all.map(\.name)).count == Architecture.all.count)
  }

  @Test(arguments: Architecture.all.map(\.name))
  func `every weight has one name in every convention`(name: String) throws {
    let architecture = try #require(Architecture.named(name))
    #expect(!architecture.conventions.isEmpty)
    for convention in architecture.conventions.map({ $0.readingLayerNames() }) {
      for model in try SmallModels.models(of: architecture, in: convention) {
        let tensors = try convention.tensors(of: model)
        var named: [String: Int] = [:]
        for weight in tensors.flatMap(\.turns).joined() { named[weight.role, default: 0] += 1 }
        for weight in model.weights where weight.tiedTo == nil {
          #expect(named[weight.role] == 1, "\(convention.name): \(weight.role)")
        }
        #expect(named.values.allSatisfy { $0 == 1 })
        let names = tensors.flatMap { tensor in
          // A prefix keeps those apart that lie outside of it.
          ([tensor.name] + tensor.aliases).map { "\(tensor.spelling.isOuter) \($0)" }
        }
        #expect(Set(names).count == names.count, "\(convention.name)")
      }
    }
  }

  @Test(arguments: Architecture.all.map(\.name))
  func `stored tensors hold as many elements as their weights`(name: String) throws {
    let architecture = try #require(Architecture.named(name))
    for convention in architecture.conventions {
      for model in try SmallModels.models(of: architecture, in: convention) {
        for tensor in try convention.tensors(of: model) {
          let elements = tensor.turns.joined().reduce(0) { $0 + $1.shape.elementCount }
          #expect(tensor.shape.elementCount == elements, "\(convention.name): \(tensor.name)")
        }
      }
    }
  }

  @Test(arguments: Architecture.all.map(\.name))
  func `names lead back to their weights`(name: String) throws {
    let architecture = try #require(Architecture.named(name))
    for convention in architecture.conventions {
      for model in try SmallModels.models(of: architecture, in: convention) {
        let tensors = try convention.tensors(of: model)
        // Where one stack's layers are numbered on from another's, the model's sizes tell them apart.
        let isNumberedOn = convention.spellings.contains { !$0.name.sums.isEmpty }
        for tensor in tensors {
          let found = try convention.spellings.filter { spelling in
            try spelling.isOuter == tensor.spelling.isOuter
              && model.environment.holds(spelling.condition)
              && (!isNumberedOn
                || tensors.contains { $0.spelling == spelling && $0.name == tensor.name })
          }.compactMap { spelling in
            spelling.name.match(tensor.name.utf8).map { (spelling, $0) }
          }
          #expect(found.map(\.0).contains(tensor.spelling), "\(convention.name): \(tensor.name)")
          for (spelling, variables) in found where spelling == tensor.spelling {
            // A sum is found as one number, and made again of its parts.
            let numbers = spelling.name.sums.reduce(into: variables) { numbers, sum in
              numbers[sum.names[0]] = variables[sum.key]
            }
            #expect(spelling.name.name(numbers) == tensor.name)
          }
          #expect(found.count == 1, "\(convention.name): \(tensor.name) is of two spellings")
        }
      }
    }
  }

  @Test(arguments: Architecture.all.map(\.name))
  func `every spelling is of weights that some model has`(name: String) throws {
    let architecture = try #require(Architecture.named(name))
    let patterns = Set(
      try SmallModels.configurations(of: architecture).flatMap {
        try Model(architecture, $0).weights.map(\.pattern)
      })
    for convention in architecture.conventions {
      for spelling in convention.spellings {
        for role in spelling.roles {
          #expect(patterns.contains(role), "\(convention.name): \(role)")
        }
      }
    }
  }

  @Test(arguments: Architecture.all.map(\.name))
  func `every formula is one when it is written and read`(name: String) throws {
    let architecture = try #require(Architecture.named(name))
    for parameter in architecture.parameters {
      guard let fallback = parameter.fallback else { continue }
      #expect(try Expression(parsing: fallback.text).names == fallback.names)
    }
    for (weight, _) in architecture.described().weights.map({ ($0.weight, $0.pattern) }) {
      for formula in weight.shape + [weight.condition] {
        #expect(try Expression(parsing: formula.text).names == formula.names)
      }
    }
  }

  @Test(arguments: Architecture.all.map(\.name))
  func `formulas mention known names only`(name: String) throws {
    let architecture = try #require(Architecture.named(name))
    let known = Set(architecture.parameters.map(\.name))
      .union(architecture.described().loops.map(\.variable)).union(["layer", "expert"])
    let patterns = Set(architecture.described().weights.map(\.pattern))
    for weight in architecture.described().weights {
      for formula in weight.weight.shape + weight.conditions {
        #expect(formula.names.isSubset(of: known), "\(weight.pattern): \(formula)")
      }
    }
    for convention in architecture.conventions {
      for requirement in convention.requirements {
        #expect(requirement.condition.names.isSubset(of: known), "\(convention.name)")
      }
      for spelling in convention.spellings {
        #expect(spelling.condition.names.isSubset(of: known), "\(convention.name)")
      }
      for adaptation in convention.adaptations {
        for formula in [adaptation.condition] + adaptation.values.values {
          #expect(formula.names.isSubset(of: known), "\(convention.name)")
        }
        #expect(known.isSuperset(of: adaptation.values.keys), "\(convention.name)")
        #expect(
          patterns.isSuperset(
            of: adaptation.firstRows + adaptation.zeros + adaptation.folds.values),
          "\(convention.name)")
        #expect(
          Set(adaptation.zeros).isSuperset(of: adaptation.folds.keys), "\(convention.name)")
      }
      #expect(convention.prefixCondition.names.isSubset(of: known))
    }
    for dialect in architecture.dialects {
      for key in dialect.keys {
        #expect(known.contains(key.parameter), "\(dialect.name): \(key.parameter)")
        #expect(!key.paths.isEmpty || key.absent != nil, "\(dialect.name): \(key.parameter)")
      }
      let parameters = dialect.keys.map(\.parameter)
      #expect(Set(parameters).count == parameters.count, "\(dialect.name)")
    }
  }

  @Test(arguments: Architecture.all.map(\.name))
  func `every value that an operation reads was made before, and in shape`(
    name: String
  ) throws {
    let architecture = try #require(Architecture.named(name))
    for configuration in SmallModels.configurations(of: architecture) {
      let model = try Model(architecture, configuration)
      _ = try ForwardCost(model, batch: 2, sequence: 5)
    }
  }
}
