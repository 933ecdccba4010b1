"""`spacy bioner apply`: from texts and a pipeline to a file of annotated documents, or to a folder of shards."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, Optional, Union

import srsly
from spacy.tokens import Doc, DocBin
from spacy.util import get_package_path, is_package
from spacy.vocab import Vocab

from ..errors import BionerError, Errors, Warnings, check_list, check_number, check_setting, warn
from ..files import as_path, checksum
from ..formats import Format, SourceDocument, get_format
from ..formats.documents import check_output, choose_format, choose_input, output_formats, parse_options, text_formats
from ..scope import SPANS_KEY
from .annotator import Done, Failure, Settings
from .pool import Here, Pool, imap, process_pool
from .progress import Progress
from .shards import ERRORS, JOURNAL, SHARD_SIZE, Run, Source, size_of, write_failures

CHUNK = 100
"""Documents per task if all are written to one file."""
ENGINES = ("processes", "ray")


class Applied(NamedTuple):
    """Counts of a run of `apply`.

    Attributes:
        documents: number of documents.
        spans: number of spans.
        failures: number of documents and files that could not be read or annotated.
    """

    documents: int
    spans: int
    failures: int = 0


def apply(
    pipeline: Union[str, Path],
    source: Union[str, Path],
    output: Union[str, Path],
    *,
    input_format: Optional[str] = None,
    options: Union[str, Mapping[str, Any]] = "",
    format: Optional[str] = None,
    spans_key: str = SPANS_KEY,
    columns: Optional[int] = None,
    types: Optional[Collection[str]] = None,
    threshold: float = 0.0,
    flat: bool = False,
    guideline: Optional[str] = None,
    batch_size: Optional[int] = None,
    n_process: int = 1,
    gpu_id: int = -1,
    shard_size: Optional[int] = None,
    overwrite: bool = False,
    strict: bool = False,
    progress: Optional[str] = None,
    engine: str = "processes",
    address: Optional[str] = None,
) -> Applied:
    """Annotate texts in bounded memory.

    Documents that cannot be annotated, and files that cannot be read, are left out and counted in a warning; reasons
    are in `OUTPUT.errors.jsonl`, or `OUTPUT/_run/errors.jsonl` of a run.

    Args:
        pipeline: folder or package name of the pipeline.
        source: the texts. Annotations in it are ignored; identifiers, passages and further keys are kept. Texts
            without an identifier are named after their file and number, or by the number if there is one file.
        output: the file to write, or a folder for some formats and for shards.
        input_format: name of a format, see `bioner_spacy.formats.all_formats`; None to choose by the name of the
            source.
        options: options of the reader, such as `type_infon=kind`, separated by commas, or a dictionary of them.
        format: name of an output format; None to choose by the name of the output.
        spans_key: key in `doc.spans`; "ents" for the entities in `doc.ents`.
        columns: number of tag columns, for formats that have them.
        types: entity types to keep; None for all.
        threshold: minimum score of mentions, if they have one.
        flat: whether to keep only the mentions of `doc.ents`, which do not overlap.
        guideline: corpus whose guideline to follow; None for none.
        batch_size: documents per batch; None for the setting of the pipeline.
        n_process: number of processes, which share the threads; 1 on a GPU. With Ray, number of actors.
        gpu_id: number of the GPU; -1 for the CPU.
        shard_size: write a folder of shards with this number of documents; the same call continues an interrupted run.
            None for one output.
        overwrite: start a run again, replacing an earlier one.
        strict: fail if a document cannot be annotated or a file cannot be read.
        progress: "none", "bar" or "log"; None for a bar on a terminal.
        engine: "processes" of this machine, or "ray".
        address: address of the Ray cluster; None to start one on this machine.

    Returns:
        Numbers of documents, spans and failures, including earlier starts of a run.

    Raises:
        BionerError: a setting is unknown, the source is invalid, the pipeline cannot be loaded, the format cannot
            represent a document, or no document could be annotated.
    """
    check_setting("pipeline", pipeline, "the folder or package name of a pipeline", isinstance(pipeline, (str, Path)))
    check_list("types", types, "entity types")
    pipeline, source, output = str(pipeline), as_path("source", source), as_path("output", output)
    reader = choose_input("input_format", input_format, source, allowed=text_formats())
    writer = choose_format("format", format, output, allowed=output_formats())
    writing = {} if columns is None else {"columns": columns}
    check_setting("engine", engine, ENGINES)
    check_setting("address", address, "only with the setting engine at ray", address is None or engine == "ray")
    check_number("threshold", threshold, 0, 1)
    for setting, value in {"n_process": n_process, "batch_size": batch_size, "shard_size": shard_size}.items():
        check_number(setting, 1 if value is None else value, 1)
    check_setting("n_process", n_process, "1 on a GPU", n_process == 1 or gpu_id < 0 or engine == "ray")
    chosen = None if types is None else frozenset(types)
    settings = Settings(
        pipeline,
        writer.name,
        writing,
        spans_key,
        chosen,
        threshold,
        flat,
        guideline,
        batch_size=batch_size,
        gpu_id=gpu_id,
        strict=strict,
    )
    texts = Source(source, reader, parse_options(options, reader))
    if shard_size is None and engine != "ray":
        check_setting("overwrite", overwrite, "only with the setting shard_size", not overwrite)
        check_output(output, source, writer, writing)
        return _apply_to_file(settings, texts, output, n_process, progress)
    if output.is_file():
        raise BionerError(Errors.E684.format(folder=output))
    check_output(output / "shard", source, writer, writing)
    made_with = {
        "pipeline": pipeline_identity(pipeline),
        "input": source.as_posix(),
        "input_format": reader.name,
        "options": options,
        "format": writer.name,
        "columns": columns,
        "spans_key": spans_key,
        "types": None if types is None else sorted(types),
        "threshold": threshold,
        "flat": flat,
        "shard_size": shard_size or SHARD_SIZE,
    }
    if guideline is not None:  # earlier versions noted none
        made_with["guideline"] = guideline
    if source.is_dir() and output.resolve().is_relative_to(source.resolve()):
        raise BionerError(Errors.E687.format(folder=output, source=source))
    with (
        Run(output, texts, ending=_ending(output, writer), made_with=made_with, overwrite=overwrite) as run,
        Progress(progress, run.bytes, before=run.bytes_before) as shown,
        _pool(settings, n_process, engine, address, apart=run.was_interrupted) as pool,
    ):
        missing = run.missing(shown.has_read, strict=strict)
        calls = ((name, ("write_shard", (shard, path))) for name, path, shard in missing)
        for name, done in imap(pool, calls, shown.running, ordered=False):
            run.record(name, done)
            shown.finished(name, done.documents + len(done.failures), done.tokens)
        return _ended(run.total(), output, run.errors)


def pipeline_identity(pipeline: str) -> dict[str, str]:
    """Name, version and checksum of a pipeline, without loading it.

    Args:
        pipeline: folder or package name.
    """
    path = get_package_path(pipeline) if is_package(pipeline) else Path(pipeline)
    try:
        meta = srsly.read_json(path / "meta.json")
        name = f"{meta['lang']}_{meta['name']}"
        data = path / f"{name}-{meta['version']}"  # in a package; other files change when they are compiled
        return {"name": name, "version": meta["version"], "checksum": checksum(data if data.is_dir() else path)}
    except (OSError, ValueError, KeyError) as error:
        raise BionerError(Errors.E504.format(pipeline=pipeline, reason=error)) from None


def _apply_to_file(
    settings: Settings, source: Source, output: Path, n_process: int, progress: Optional[str]
) -> Applied:
    """Write one file of all documents."""
    failures: list[Failure] = []
    with Progress(progress, sum(map(size_of, source.files()))) as shown, process_pool(settings, n_process) as pool:
        documents = shown.reading(source.read_all(_stop if settings.strict else failures.append))
        if isinstance(pool, Here):
            pool.annotator.on_progress = partial(shown.running, "")
            docs = pool.annotator.docs(documents, failures.append)
        else:
            docs = _from_processes(pool, documents, shown, failures)
        writer = get_format(settings.format)
        counts = writer.written(_some(docs, failures), output, spans_key=settings.written_key, **settings.writing)
    errors = output.with_name(f"{output.name}.{ERRORS}")
    write_failures(errors, failures)
    return _ended(Done(*counts, tokens=0, failures=failures), output, errors)


def _from_processes(
    pool: Pool, documents: Iterator[SourceDocument], shown: Progress, failures: list[Failure]
) -> Iterator[Doc]:
    """Documents annotated by other processes, in order; each is valid until the next one is requested."""
    vocab, seen = Vocab(), set[str]()
    chunks = enumerate(iter(lambda: list(islice(documents, CHUNK)), []))
    calls = ((number, ("annotate", (chunk,))) for number, chunk in chunks)
    for number, done in imap(pool, calls, shown.running, ordered=True):
        shown.finished(number, done.documents + len(done.failures), done.tokens)
        failures += done.failures
        for message in dict.fromkeys(done.warnings):
            if message not in seen:
                warn(message)
        seen.update(done.warnings)
        with vocab.memory_zone():
            yield from DocBin().from_bytes(done.content).get_docs(vocab)


def _some(docs: Iterator[Doc], failures: Sequence[Failure]) -> Iterator[Doc]:
    """Pass documents on; raise an error if all of them failed."""
    count = 0
    for doc in docs:
        count += 1
        yield doc
    _require_some(count, failures)


def _stop(failure: Failure) -> NoReturn:
    raise BionerError(failure.reason)


def _require_some(documents: int, failures: Sequence[Failure]) -> None:
    if failures and not documents:
        first = failures[0]
        if len(failures) == 1 and not first.document:
            _stop(first)
        raise BionerError(Errors.E682.format(count=len(failures), first=first.where, reason=first.reason))


def _ended(done: Done, output: Path, errors: Path) -> Applied:
    """Warn of failures, and repeat each warning of the writers once."""
    _require_some(done.documents, done.failures)
    if not done.documents:
        raise BionerError(Errors.E163.format(path=output))
    kinds = {message.partition("]")[0]: message for message in reversed(done.warnings)}
    for message in kinds.values():
        warn(message)
    if len(done.warnings) > len(kinds):
        warn(Warnings.W602.format(count=len(done.warnings) - len(kinds), path=errors.with_name(JOURNAL)))
    if done.failures:
        first = done.failures[0]
        warn(Warnings.W603.format(count=len(done.failures), path=errors, first=first.where, reason=first.reason))
    return Applied(done.documents, done.spans, len(done.failures))


def _ending(output: Path, writer: Format) -> str:
    """File ending of shards: that of the folder's name if the format knows it, or the usual one."""
    endings = [*writer.endings, *writer.usual_endings, ""]
    packed = [f"{ending}.gz" for ending in endings if ending]
    return next((end for end in [*packed, *endings[:-1]] if output.name.lower().endswith(end)), endings[0])


def _pool(
    settings: Settings, n_process: int, engine: str, address: Optional[str], *, apart: bool
) -> Union[Here, Pool]:
    if engine != "ray":
        return process_pool(settings, n_process, apart=apart)
    from .ray_pool import RayPool

    return RayPool(settings, n_process, address)
