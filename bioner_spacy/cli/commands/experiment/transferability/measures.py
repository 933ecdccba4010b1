"""Measure how similar corpora are, without training; with the gains in OUTPUT, by their learning curves too.

\b
Example:
  python -m spacy bioner experiment transferability measures reports/gains --corpora sample --corpus corpus/sample
"""

from .... import options


def command(output: options.Output, encoding: options.Encoding, tokens: options.Tokens = options.TOKENS) -> None:
    from .....experiments.transferability.gains import FILE, Gains
    from .....experiments.transferability.measures import measure_corpora
    from .....experiments.transferability.runs import config_encoder
    from .....reports.transferability import measures_page

    gains = Gains.from_disk(output) if (output / FILE).is_file() else None
    found = measure_corpora(
        encoding.corpus,
        encoding.names,
        encoder=encoding.encoder or config_encoder(encoding.config_path),
        tokens=tokens,
        gains=gains,
    )
    options.show(measures_page(found), output)
