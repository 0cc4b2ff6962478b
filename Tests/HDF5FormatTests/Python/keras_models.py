"""Models whose weights must load from files of ours as they load from Keras's own.

usage: keras_models.py make FOLDER      saves models with Keras 3 and tf_keras, and describes the files as
                                        tables: NAME.json beside each NAME
       keras_models.py check FOLDER     loads ours/NAME into fresh models and compares the weights
"""
import json
import os
import sys
import zipfile

import h5py
import numpy as np
import tensorflow  # noqa: F401  (before keras, whose backend it is)
import keras
import tf_keras

FOLDER = sys.argv[2]


def described(file, more=None):
    """A file as a table: datasets by path, attributes as path@attribute."""
    tensors, metadata = [], dict(more or {})

    def value(read):
        if isinstance(read, np.ndarray):
            return [value(item) for item in read]
        if isinstance(read, bytes):
            return read.decode()
        return read.item() if isinstance(read, np.generic) else read

    def visit(path, item):
        for name, read in item.attrs.items():
            metadata[f"{path}@{name}"] = value(read)
        if isinstance(item, h5py.Dataset):
            array = item[()]
            is_opaque = item.dtype.kind == "V"
            tensors.append({
                "name": path, "dtype": "bfloat16" if is_opaque else str(item.dtype),
                "shape": list(item.shape), "hex": np.asarray(array).tobytes().hex()})

    visit("", file)
    file.visititems(visit)
    return {"tensors": tensors, "metadata": metadata}


def describe(name):
    path = os.path.join(FOLDER, name)
    if name.endswith(".keras"):
        archive = zipfile.ZipFile(path)
        more = {text: archive.read(text).decode() for text in ("metadata.json", "config.json")}
        table = described(h5py.File(archive.open("model.weights.h5")), more)
    else:
        table = described(h5py.File(path))
    with open(path + ".json", "w", encoding="utf-8") as out:
        json.dump(table, out, ensure_ascii=False)


def model(library, dtype="float32", layers=2):
    library.backend.clear_session()
    library.utils.set_random_seed(11)
    inputs = library.Input((6, 8), name="inputs")
    hidden = inputs
    for number in range(layers):
        attention = library.layers.MultiHeadAttention(2, 4, name=f"attention_{number}", dtype=dtype)
        hidden = library.layers.LayerNormalization(name=f"norm_{number}", dtype=dtype)(
            hidden + attention(hidden, hidden))
        hidden = library.layers.Dropout(0.1, name=f"dropout_{number}")(hidden)
    outputs = library.layers.Dense(3, name="head", dtype=dtype)(hidden)
    result = library.Model(inputs, outputs, name="small")
    generator = np.random.default_rng(5)
    result.set_weights([
        generator.normal(size=weight.shape).astype("float32").astype(weight.dtype)
        for weight in result.get_weights()])
    return result


def plain(library, dtype="float32"):
    """Without attention, which Keras 3 cannot load from its own legacy files."""
    library.backend.clear_session()
    library.utils.set_random_seed(12)
    return library.Sequential([
        library.Input((6, 8)), library.layers.Dense(5, name="first", dtype=dtype),
        library.layers.LayerNormalization(name="norm", dtype=dtype),
        library.layers.Dropout(0.1, name="dropout"),
        library.layers.Dense(3, name="second", dtype=dtype)], name="plain")


def compiled(library):
    result = plain(library)
    result.compile("adam", library.losses.MeanSquaredError())
    result.fit(np.ones((4, 6, 8), "float32"), np.ones((4, 6, 3), "float32"), verbose=0)
    return result


def wide(library):
    """More than 64,512 bytes of layer names."""
    layers = [library.layers.Dense(1, name=f"{number:03d}_" + "long_" * 390) for number in range(35)]
    result = library.Sequential([library.Input((1,))] + layers)
    result.set_weights([np.full(weight.shape, number, "float32")
                        for number, weight in enumerate(result.get_weights())])
    return result


def fresh(make, library):
    result = make(library)
    result.set_weights([np.zeros_like(weight) for weight in result.get_weights()])
    return result


def optimizer_state(loaded):
    variables = loaded.optimizer.variables
    return [np.asarray(variable) for variable in (variables() if callable(variables) else variables)]


# name of the file: how to make the model, how to save it, how to load what we wrote
MODELS = {
    "keras3.weights.h5": (keras, model, "save_weights"),
    "keras3-bfloat16.weights.h5": (
        keras, lambda library: model(library, "bfloat16"), "save_weights"),
    "keras3-optimizer.weights.h5": (keras, compiled, "save_weights"),
    "keras3-twelve.weights.h5": (keras, lambda library: model(library, layers=12), "save_weights"),
    "keras3.h5": (keras, compiled, "save"),
    "keras3-bfloat16.h5": (keras, lambda library: plain(library, "bfloat16"), "save"),
    "keras3.keras": (keras, compiled, "save"),
    "keras3-bfloat16.keras": (keras, lambda library: model(library, "bfloat16"), "save"),
    "keras2.h5": (tf_keras, compiled, "save"),
    "keras2-weights.h5": (tf_keras, model, "save_weights"),
    "keras2-wide-weights.h5": (tf_keras, wide, "save_weights"),
    "keras2.weights.h5": (tf_keras, model, "save_weights"),
}

for name, (library, make, save) in MODELS.items():
    path = os.path.join(FOLDER, name)
    if sys.argv[1] == "make":
        getattr(make(library), save)(path)
        describe(name)
        continue
    ours = os.path.join(FOLDER, "ours", name)
    expected = make(library)
    if save == "save":
        loaded = library.models.load_model(ours)
    else:
        loaded = fresh(make, library)
        loaded.load_weights(ours)
    pairs = list(zip(expected.get_weights(), loaded.get_weights(), strict=True))
    if save == "save" and make is compiled:
        # Keras 3 does not restore all of it from legacy files, ours or its own.
        own = library.models.load_model(path)
        pairs += zip(optimizer_state(own), optimizer_state(loaded), strict=True)
    for one, other in pairs:
        if one.dtype != other.dtype or not np.array_equal(one, other):
            sys.exit(f"{name}: weights differ")
    print(name, len(pairs))
