"""How alike corpora are, by measures that need no training."""

import typer
from wasabi import msg

from .... import options


def command(output: options.Output, encoding: options.Encoding, words: options.Words = options.WORDS) -> None:
    """How alike corpora are, by measures that need no training; with the gains in OUTPUT, by their learning curves too.

    \b
    Example:
      python -m spacy bioner experiment transferability measures reports/gains --corpora sample --corpus corpus/sample
    """
    from .....experiments.transferability.gains import FILE, Gains
    from .....experiments.transferability.measures import measure_corpora
    from .....experiments.transferability.runs import config_encoder

    gains = Gains.from_disk(output) if (output / FILE).is_file() else None
    found = measure_corpora(
        encoding.corpus,
        encoding.names,
        encoder=encoding.encoder or config_encoder(encoding.config_path),
        words=words,
        gains=gains,
    )
    files = found.to_disk(output)
    for section in found.sections():
        typer.echo(f"{section.title}\n{section.table.to_text()}")
    msg.good(f"Wrote {', '.join(map(str, files))}")
