"""Choose the layer for token vectors of a component whose settings do not name one."""

import copy
from typing import Any

from spacy import registry
from spacy.language import Language
from spacy.pipeline import TrainablePipe

from ..errors import BionerError, Errors
from ..layers.undecided import set_tok2vec

TRANSFORMER_LISTENER: dict[str, Any] = {
    "@architectures": "spacy-transformers.TransformerListener.v1",
    "grad_factor": 1.0,
    "upstream": "*",
    "pooling": {"@layers": "reduce_mean.v1"},
}
# As in spaCy's own components.
CNN: dict[str, Any] = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "pretrained_vectors": None,
    "width": 96,
    "depth": 4,
    "embed_size": 2000,
    "window_size": 1,
    "maxout_pieces": 3,
    "subword_features": True,
}


def choose_tok2vec(pipe: TrainablePipe, nlp: Language) -> None:
    """Give a component token vectors: of the pipeline's transformer, else of its tok2vec, else layers of its own.

    The choice is written to the component's config, with which the pipeline is saved.

    Args:
        pipe: a component of the pipeline, whose model has no layer for token vectors yet.

    Raises:
        BionerError: the component to listen to does not come before this one.
    """
    names = [name for name, _ in nlp.components]
    own = next(name for name, other in nlp.components if other is pipe)
    factories = {nlp.get_pipe_meta(name).factory: name for name in reversed(names)}
    upstream = factories.get("transformer") or factories.get("tok2vec")
    if upstream is None:
        settings = CNN
    elif names.index(upstream) > names.index(own):
        raise BionerError(Errors.E426.format(name=own, upstream=upstream))
    elif "transformer" in factories:
        settings = TRANSFORMER_LISTENER
    else:
        width = nlp.get_pipe(upstream).model.get_dim("nO")  # type: ignore[attr-defined]
        settings = {"@architectures": "spacy.Tok2VecListener.v1", "width": width, "upstream": "*"}
    build_tok2vec(pipe, settings)
    nlp.get_pipe_config(own)["model"]["tok2vec"] = copy.deepcopy(settings)
    if upstream is not None:
        nlp.get_pipe(upstream).find_listeners(pipe)  # type: ignore[attr-defined]


def build_tok2vec(pipe: TrainablePipe, settings: dict[str, Any]) -> None:
    """Put a layer for token vectors into the model of a component, in place.

    Args:
        settings: section tok2vec of the model's config.
    """
    set_tok2vec(pipe.model, registry.resolve({"tok2vec": settings})["tok2vec"])
