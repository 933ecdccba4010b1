"""Registered architectures.

A model for the component `multitask_ner` takes a `bioner_spacy.types.Batch` and returns the scores of its formulation.
It is built from a config, and has

- a reference "tok2vec": the layers that learn at the encoder's rate;
- a reference "output_layer": the layer whose dimension "nO" is the number of columns of the formulation;
- an attribute "make_formulation": a function from the list of tasks to their `bioner_spacy.types.Formulation`;
- an attribute "resize_output": a function of the model, the old and the new columns, called before initialisation and
when tasks are added. Existing columns keep their weights.
"""
