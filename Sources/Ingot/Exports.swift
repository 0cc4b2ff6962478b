// The types that every report and every format speaks in are part of the library's face.
@_exported public import Tensors
@_exported public import Rules
@_exported public import Architectures
@_exported public import ReferenceModel
