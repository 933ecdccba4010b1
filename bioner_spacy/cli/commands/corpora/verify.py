"""Check that corpus files exist and have the right checksums.

\b
Example:
  python -m spacy bioner corpora verify --corpora benchmark
"""

from ....errors import counted
from ... import options
from ...messages import msg


def command(selection: options.Selection, assets: options.Assets = options.ASSETS) -> None:
    from ....corpora import verify

    files = verify(selection.known, selection.names, folder=assets)
    msg.good(f"{counted(len(files), 'corpus file')} in {assets}: checksums match")
