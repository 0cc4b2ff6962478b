/// Values by name, in the order in which the names first came.
///
/// Weights of a layer come one after another, and there are thousands of them: the name asked for last
/// is found without hashing it.
struct Groups<Value> {
  private(set) var names: [String] = []
  private(set) var values: [Value] = []
  private var places: [String: Int] = [:]
  private var latest = 0

  /// The value under a name, which begins as `initial`.
  subscript(name: String, default initial: @autoclosure () -> Value) -> Value {
    mutating get {
      let place = place(of: name, initial())
      return values[place]
    }
    _modify {
      let place = place(of: name, initial())
      yield &values[place]
    }
  }

  private mutating func place(of name: String, _ initial: @autoclosure () -> Value) -> Int {
    if latest < names.count, names[latest] == name { return latest }
    latest = places[name] ?? names.count
    if latest == names.count {
      places[name] = latest
      names.append(name)
      values.append(initial())
    }
    return latest
  }
}
