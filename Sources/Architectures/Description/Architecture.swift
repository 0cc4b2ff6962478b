/// A model described once, as a value.
///
/// One description is walked several ways: the tensors that a checkpoint must hold, exact counts,
/// cost, names and layouts in each convention, and the forward pass. It is data, so it can be printed,
/// compared, written as JSON and read from a user's file; adding an architecture is adding one value
/// to `Architecture.all`.
///
/// ## What else the language can hold
///
/// * **Shared layers** (ALBERT): a `loop` with `sharesWeights`.
/// * **Multi-latent attention** (DeepSeek-V2): `linear` down to the rank, `norm`, `linear` up, `slice`
///   into the parts with and without positions, `rotary` on the latter, `concatenate`, `attention` with
///   a value size of its own: all operations there are.
/// * **Layers that differ** (dense before experts, windows in every other layer): `branch` on the
///   loop's variable, `layer < dense_layers`, `layer % 2 == 0`.
/// * **Shifted windows** (Swin): a `loop` over stages with sizes `depths[stage]`; one operation that
///   moves windows into the batch axis and back (`window`, `shift`) is a case to add to `Operation`,
///   everything between the two is there. **MetaFormer**'s pooling mixer is likewise one case, without
///   weights. A file describes each, and one in `ReferenceModel` computes it.
public struct Architecture: Sendable, Hashable {
  /// The word that `--architecture` takes.
  public var name: String
  /// One line for people, with the source of the formulas.
  public var summary: String
  /// What a configuration gives, in the order of its report.
  public var parameters: [Parameter]
  /// What the model is given.
  public var inputs: [Input]
  /// What it does.
  public var steps: [Step]
  /// How ecosystems spell and lay out its weights, the most usual first.
  public var conventions: [Convention]
  /// How ecosystems spell its configuration.
  public var dialects: [Dialect]
  /// What must hold between parameters, with the message where it does not.
  public var requirements: [Requirement]

  /// A condition on the parameters.
  public struct Requirement: Sendable, Hashable {
    /// What must hold.
    public var condition: Expression
    /// What is wrong where it does not hold.
    public var message: String
  }

  /// An input of the forward pass.
  public struct Input: Sendable, Hashable {
    /// What it holds.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
      /// Integers `[batch, sequence]`, each below `below`.
      case ids
      /// 1 (visible) or 0, `[batch, sequence]`.
      case mask
      /// Pictures `[batch, channels, height, width]`.
      case pixels
      /// Features `[batch, sequence, width]`.
      case features
      /// The same given as `[batch, width, sequence]`, as sound is: frames of a spectrogram. The model's
      /// steps find them turned round.
      case frames
    }

    /// The canonical name: `input_ids`.
    public var name: String
    /// Which kind it is.
    public var kind: Kind
    /// The bound of ids, the width of features and of frames, the channels of pictures.
    public var size: Expression
    /// The one length that its sequence has; nil where any will do.
    public var length: Expression?
    /// Whether the model has it.
    public var condition: Expression = true
    /// Whether it may be left out; masks are then all 1, ids all 0 or counted from 0.
    public var isOptional = false
    /// The flag that a pass without this input has as false, so that what reads it is left out.
    public var flag: String?
  }

  /// The parameter of that name, or nil.
  public subscript(parameter name: String) -> Parameter? { parameters.first { $0.name == name } }

  /// The convention of that name, or nil.
  public subscript(convention name: String) -> Convention? { conventions.first { $0.name == name } }
}
