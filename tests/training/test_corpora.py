"""The reader of several converted corpora."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import srsly
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import DocBin
from toy_corpora import BRCA1, BREAST_CANCER, CORPORA, blank_nlp, excluding, write_corpora

from bioner_spacy.corpora.leakage import find_leaks
from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.scope import get_corpus, get_scope, set_gold
from bioner_spacy.training.corpora import MultiCorpus


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpora(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one corpus of 50 numbered documents."""
    folder = tmp_path_factory.mktemp("large")
    nlp = blank_nlp()
    (folder / "numbers").mkdir()
    DocBin(docs=[nlp.make_doc(f"number {i}" + " ." * (i % 7)) for i in range(50)]).to_disk(
        folder / "numbers/train.spacy"
    )
    return folder


def corpora_of(reader: MultiCorpus) -> list[str]:
    """Corpus of each example."""
    return [get_corpus(example.reference) for example in reader(blank_nlp())]


def test_reads_every_corpus_of_the_folder(folder: Path) -> None:
    reader = MultiCorpus(folder)
    assert reader.corpora == sorted(CORPORA)
    examples = list(reader(blank_nlp()))
    assert [example.text for example in examples] == [text for _, sents in CORPORA.values() for text, _ in sents]
    assert get_scope(examples[0].reference) == {"DISEASE"}
    spans = examples[0].reference.spans["bioner"]
    assert [(span.text, span.label_) for span in spans] == BREAST_CANCER[1]


@pytest.mark.parametrize(
    "names", ["genes,diseases", " genes , diseases", ["genes", "diseases"], "genes,diseases,genes"]
)
def test_reads_named_corpora_in_their_order(folder: Path, names: object) -> None:
    reader = MultiCorpus(folder, names)  # type: ignore[arg-type]
    assert corpora_of(reader) == ["genes"] * 2 + ["diseases"] * 3
    assert list(reader.lengths()) == ["genes", "diseases"]


def test_documents_with_entities_alone_are_of_the_corpus_of_their_folder(tmp_path: Path) -> None:
    """As other tools write them."""
    nlp = blank_nlp()
    text, mentions = BREAST_CANCER
    gold, bare = nlp.make_doc(text), nlp.make_doc(text)
    starts = [(text.index(mention), label) for mention, label in mentions]
    gold.ents = [gold.char_span(start, start + len(m), label) for (start, label), (m, _) in zip(starts, mentions)]
    (tmp_path / "notes").mkdir()
    DocBin(docs=[gold, bare]).to_disk(tmp_path / "notes" / "train.spacy")
    first, second = (example.reference for example in MultiCorpus(tmp_path)(nlp))
    assert [(span.text, span.label_) for span in first.spans["bioner"]] == mentions
    assert (get_corpus(first), get_scope(first)) == ("notes", None)
    assert "bioner" not in second.spans  # nothing is known of it


def test_the_predicted_side_is_raw_text_with_a_guideline(folder: Path) -> None:
    nlp = blank_nlp()
    nlp.tokenizer.add_special_case("BRCA1", [{"ORTH": "BR"}, {"ORTH": "CA1"}])  # type: ignore[union-attr]
    example = next(example for example in MultiCorpus(folder, "genes")(nlp) if example.text == BRCA1[0])
    assert len(example.predicted) == len(example.reference) + 1
    assert not example.predicted.spans and not example.predicted.has_annotation("ENT_IOB")
    assert example.predicted._.guideline == "genes"


def test_documents_are_read_once_and_examples_are_new(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp, reader = blank_nlp(), MultiCorpus(folder)
    first = list(reader(nlp))
    monkeypatch.setattr("bioner_spacy.training.corpora.converted_docs", None)
    second = list(reader(nlp))
    assert all(a.reference is b.reference and a.predicted is not b.predicted for a, b in zip(first, second))
    monkeypatch.undo()
    other = blank_nlp()
    assert all(example.reference.vocab is other.vocab for example in reader(other))


def test_lengths_are_those_of_the_documents(large: Path, folder: Path) -> None:
    for reader in (MultiCorpus(folder), MultiCorpus(large, fraction=0.5, limit=20)):
        lengths = reader.lengths()
        examples = list(reader(blank_nlp()))
        assert sum(len(tokens) for tokens in lengths.values()) == len(examples)
        assert [n for tokens in lengths.values() for n in tokens] == [len(example.reference) for example in examples]


def texts(reader: MultiCorpus) -> list[str]:
    return [example.text for example in reader(blank_nlp())]


@given(fraction=st.floats(0.001, 1.0), limit=st.integers(0, 60))
def test_a_part_of_a_corpus_is_a_fixed_choice_in_order(large: Path, fraction: float, limit: int) -> None:
    lengths = MultiCorpus(large, fraction=fraction, limit=limit).lengths()["numbers"]
    expected = max(1, round(50 * fraction))
    assert len(lengths) == (min(expected, limit) if limit else expected)
    assert (lengths == MultiCorpus(large, fraction=fraction, limit=limit).lengths()["numbers"]).all()


def test_smaller_parts_are_inside_larger_ones_and_spread(large: Path) -> None:
    everything = texts(MultiCorpus(large))
    parts = [texts(MultiCorpus(large, fraction=fraction)) for fraction in (0.1, 0.2, 0.6)]
    assert [len(part) for part in parts] == [5, 10, 30]
    assert set(parts[0]) < set(parts[1]) < set(parts[2])
    assert parts[1] == [text for text in everything if text in parts[1]] != everything[:10]
    assert texts(MultiCorpus(large, limit=10)) == parts[1]
    assert texts(MultiCorpus(large, fraction=0.2, limit=5)) == parts[0]


@pytest.mark.parametrize("tokens", [1, 7, 60, 100])
def test_documents_until_there_are_so_many_tokens(large: Path, tokens: int) -> None:
    everything = texts(MultiCorpus(large))
    lengths = dict(zip(everything, MultiCorpus(large).lengths()["numbers"]))
    part = texts(MultiCorpus(large, tokens=tokens))
    total = sum(lengths[text] for text in part)
    assert tokens <= total < tokens + 8
    assert MultiCorpus(large, tokens=tokens).lengths()["numbers"].sum() == total
    # The same documents whatever the context is and how many are asked for, in the order of the corpus, spread over it.
    assert texts(MultiCorpus(large, tokens=tokens, context="document")) == part
    more = texts(MultiCorpus(large, tokens=tokens + 50))
    assert [text for text in everything if text in part] == part and set(part) < set(more)
    assert part != everything[: len(part)]


def test_tokens_beyond_those_of_a_corpus_take_all_of_it(large: Path) -> None:
    assert texts(MultiCorpus(large, tokens=10_000)) == texts(MultiCorpus(large))
    assert len(texts(MultiCorpus(large, tokens=10_000, limit=3))) == 3


def test_the_same_tokens_beside_other_corpora(folder: Path) -> None:
    alone = texts(MultiCorpus(folder, "diseases", tokens=5))
    assert len(alone) == 1
    assert texts(MultiCorpus(folder, "genes,diseases", tokens=5))[1:] == alone


def test_tokens_that_are_left_out_do_not_count(large: Path, tmp_path: Path) -> None:
    numbers = list(range(0, 50, 3))
    file = exclude_file(tmp_path / "exclude.json", {"numbers": excluding(large, "numbers", numbers)})
    reader = MultiCorpus(large, tokens=60, exclude=file)
    part = texts(reader)
    assert not {int(text.split()[1]) for text in part} & set(numbers)
    assert 60 <= reader.lengths()["numbers"].sum() < 68
    assert set(texts(MultiCorpus(large, tokens=60))) - set(part) < {
        text for text in texts(MultiCorpus(large)) if int(text.split()[1]) in numbers
    }


@pytest.mark.parametrize(
    ("setting", "value"),
    [("fraction", 0.0), ("fraction", 1.5), ("limit", -1), ("tokens", -1), ("context", "page"), ("context_tokens", 0)],
)
def test_wrong_settings(setting: str, value: Any) -> None:
    with pytest.raises(BionerError, match=f"Setting {setting} is {value!r}"):
        MultiCorpus("anywhere", **{setting: value})  # type: ignore[arg-type]


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    for reader in (MultiCorpus(tmp_path), MultiCorpus(tmp_path / "nowhere"), MultiCorpus(tmp_path, [])):
        with pytest.raises(BionerError, match=r"The folder .* holds no <corpus>/train.spacy"):
            list(reader(blank_nlp()))
        with pytest.raises(BionerError, match="holds no <corpus>"):
            reader.lengths()


def test_a_missing_corpus_or_split_is_an_error(folder: Path) -> None:
    with pytest.raises(BionerError, match=r"Corpus planets has no converted split train: .*planets/train.spacy"):
        list(MultiCorpus(folder, "genes,planets")(blank_nlp()))
    with pytest.raises(BionerError, match="Corpus genes has no converted split test"):
        MultiCorpus(folder, "genes", split="test").lengths()


def test_a_file_without_documents_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "genes").mkdir()
    DocBin().to_disk(tmp_path / "genes" / "train.spacy")
    with pytest.raises(BionerError, match="Corpus genes is empty in split train"):
        list(MultiCorpus(tmp_path)(blank_nlp()))


def exclude_file(path: Path, content: Any) -> Path:
    srsly.write_json(path, content)
    return path


def test_excluded_documents_are_not_read(folder: Path, tmp_path: Path) -> None:
    everything = texts(MultiCorpus(folder))
    file = exclude_file(
        tmp_path / "exclude.json",
        {
            "diseases": excluding(folder, "diseases", [0, 2]),
            "drugs": excluding(folder, "drugs", []),
            "genes": excluding(folder, "genes", [1]),
            "plants": {"records": 9, "exclude": {"8": "0"}},
        },
    )
    reader = MultiCorpus(folder, exclude=str(file))
    kept = [everything[i] for i in (1, 3, 4, 5)]
    assert texts(reader) == kept
    lengths = [n for tokens in reader.lengths().values() for n in tokens]
    assert lengths == [len(example.reference) for example in reader(blank_nlp())]


@pytest.mark.parametrize(("fraction", "limit"), [(1.0, 0), (0.4, 0), (1.0, 10)])
def test_exclusion_leaves_the_rest_of_the_choice_alone(
    large: Path, tmp_path: Path, fraction: float, limit: int
) -> None:
    numbers = list(range(0, 50, 3))
    file = exclude_file(tmp_path / "exclude.json", {"numbers": excluding(large, "numbers", numbers)})
    chosen = texts(MultiCorpus(large, fraction=fraction, limit=limit))
    kept = [text for text in chosen if int(text.split()[1]) not in numbers]
    assert texts(MultiCorpus(large, fraction=fraction, limit=limit, exclude=file)) == kept != chosen


def test_what_the_leakage_report_lists_is_not_trained_on(tmp_path: Path) -> None:
    """Every sentence of train is in devel too, but for one."""
    nlp = blank_nlp()
    write_corpora(tmp_path)
    docs = DocBin().from_disk(tmp_path / "genes/train.spacy")
    docs.add(nlp.make_doc("Nothing like this is anywhere else ."))
    docs.to_disk(tmp_path / "genes/train.spacy")
    leakage = find_leaks(tmp_path, list(CORPORA), min_characters=1)
    file = exclude_file(tmp_path / "exclude.json", leakage.exclude())
    examples = list(MultiCorpus(tmp_path, "genes", exclude=file)(nlp))
    assert [example.text for example in examples] == ["Nothing like this is anywhere else ."]
    with pytest.raises(BionerError, match=r"Corpus diseases: .*exclude.json \(setting exclude\) leaves out all"):
        MultiCorpus(tmp_path, exclude=file).lengths()
    for corpus in CORPORA:
        DocBin(docs=[example.reference for example in examples]).to_disk(tmp_path / corpus / "train.spacy")
    assert not any(find_leaks(tmp_path, list(CORPORA), min_characters=1).leaks.values())


def test_a_missing_exclude_file_is_an_error(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BionerError, match=r"Setting exclude names .*nowhere.json, which is not there"):
        MultiCorpus(folder, exclude=tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    "content",
    [
        ["genes"],
        {"genes": [0]},
        {"genes": {"exclude": {"0": "a"}}},
        {"genes": {"records": 2, "exclude": {"2": "a"}}},
        {"genes": {"records": 2, "exclude": {"-1": "a"}}},
        {"genes": {"records": 10**12, "exclude": {str(10**12): "a"}}},
        {"genes": {"records": 2, "exclude": {"a": "0"}}},
        {"genes": {"records": 2, "exclude": [0]}},
        {"genes": {"records": 2, "exclude": None}},
        {"genes": {"records": "2", "exclude": {}}},
        "{",
    ],
)
def test_a_wrong_exclude_file_is_an_error(folder: Path, tmp_path: Path, content: Any) -> None:
    text = content if isinstance(content, str) else srsly.json_dumps(content)
    (tmp_path / "exclude.json").write_text(text, encoding="utf8")
    with pytest.raises(BionerError, match="exclude.json .* is not a file of records to leave out"):
        MultiCorpus(folder, exclude=tmp_path / "exclude.json")


def test_an_exclude_file_of_other_corpora_is_an_error(folder: Path, tmp_path: Path) -> None:
    file = exclude_file(tmp_path / "exclude.json", {"genes": {"records": 7, "exclude": {"3": "a"}}})
    with pytest.raises(BionerError, match="is for 7 records of the corpus genes, which has 2 in split train"):
        MultiCorpus(folder, "genes", exclude=file).lengths()
    with pytest.raises(BionerError, match="does not know the corpus drugs"):
        list(MultiCorpus(folder, "drugs", exclude=file)(blank_nlp()))


def test_an_exclude_file_of_other_texts_or_an_earlier_version_is_an_error(folder: Path, tmp_path: Path) -> None:
    file = exclude_file(tmp_path / "exclude.json", {"genes": {"records": 2, "exclude": {"1": "0" * 16}}})
    with pytest.raises(
        BionerError, match="made for other records of the corpus genes .number 1 has .* bioner corpora leakage"
    ):
        list(MultiCorpus(folder, "genes", exclude=file)(blank_nlp()))
    other = {**excluding(folder, "genes", []), "texts": excluding(folder, "diseases", [])["texts"]}
    file = exclude_file(tmp_path / "exclude.json", {"genes": other})
    with pytest.raises(BionerError, match="made for other texts of the corpus genes: .* bioner corpora leakage"):
        list(MultiCorpus(folder, "genes", exclude=file)(blank_nlp()))
    file = exclude_file(tmp_path / "exclude.json", {"genes": {"sentences": 2, "exclude": [1]}})
    with pytest.raises(
        BionerError, match="is of an earlier version, which knew records by their number alone: .*leakage"
    ):
        MultiCorpus(folder, "genes", exclude=file)


def test_the_exclude_file_of_the_folder(tmp_path: Path) -> None:
    folder = write_corpora(tmp_path / "corpus", ["genes"])
    everything = texts(MultiCorpus(folder))
    exclude_file(folder / "exclude.json", {"genes": excluding(folder, "genes", [1])})
    assert texts(MultiCorpus(folder, exclude="auto")) == everything[:1]
    assert texts(MultiCorpus(folder)) == everything
    (folder / "exclude.json").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reader = MultiCorpus(folder, exclude="auto")
        reader.lengths()
    with pytest.warns(BionerWarning, match="corpus has no exclude.json") as told:
        assert texts(reader) == texts(reader) == everything
    assert len(told) == 1


# Sentences of the articles of a corpus; the last two records have no document id.
ARTICLES = {
    "a": ["Fever is common .", "It is high ."],
    "b": ["IL-2 rose .", "So did p53 .", "The end ."],
    "c": ["Rash ."],
}
LOOSE = ["Pain was rare .", "None had it ."]


@pytest.fixture(scope="module")
def articles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus of sentences and a corpus of the same articles as whole documents."""
    folder = tmp_path_factory.mktemp("articles")
    nlp = blank_nlp()
    sentences = [(text, doc_id) for doc_id, texts_ in ARTICLES.items() for text in texts_] + [(t, "") for t in LOOSE]
    whole = [(" ".join(texts_), doc_id) for doc_id, texts_ in ARTICLES.items()]
    for corpus, records in (("sentences", sentences), ("whole", whole)):
        docs = []
        for text, doc_id in records:
            doc = nlp.make_doc(text)
            set_gold(doc, [doc[0:1]], corpus=corpus, scope=["DISEASE"], doc_id=doc_id)
            for token in doc if corpus == "sentences" else ():
                token.is_sent_start = token.i == 0
            docs.append(doc)
        (folder / corpus).mkdir()
        DocBin(docs=docs).to_disk(folder / corpus / "train.spacy")
    return folder


def articles_in(folder: Path, corpus: str, **settings: Any) -> list[str]:
    """Texts of the examples; checks that the lengths are theirs."""
    reader = MultiCorpus(folder, corpus, **settings)
    examples = list(reader(blank_nlp()))
    assert reader.lengths()[corpus].tolist() == [len(example.reference) for example in examples]
    assert all(example.predicted.text == example.reference.text for example in examples)
    return [example.text for example in examples]


def test_sentences_groups_and_documents(articles: Path) -> None:
    sentences = [text for texts_ in ARTICLES.values() for text in texts_] + LOOSE
    whole = [" ".join(texts_) for texts_ in ARTICLES.values()]
    groups = [whole[0], "IL-2 rose . So did p53 .", "The end .", whole[2]]
    assert articles_in(articles, "sentences", context="sentence") == sentences
    assert articles_in(articles, "sentences", context="group", context_tokens=10) == groups + LOOSE
    assert articles_in(articles, "sentences", context="document") == whole + LOOSE
    assert articles_in(articles, "whole", context="sentence") == sentences[:6]
    assert articles_in(articles, "whole", context="group", context_tokens=10) == groups
    assert articles_in(articles, "whole", context="document") == articles_in(articles, "whole") == whole


@pytest.mark.parametrize("context", ["source", "sentence", "group", "document"])
@pytest.mark.parametrize("corpus", ["sentences", "whole"])
def test_every_context_has_the_same_mentions(articles: Path, corpus: str, context: str) -> None:
    examples = list(MultiCorpus(articles, corpus, context=context, context_tokens=10)(blank_nlp()))
    spans = [span for example in examples for span in example.reference.spans["bioner"]]
    first = [
        text.split()[0] for texts_ in ARTICLES.values() for text in (texts_ if corpus == "sentences" else texts_[:1])
    ]
    loose = [text.split()[0] for text in LOOSE if corpus == "sentences"]
    assert [span.text for span in spans] == [token.removesuffix("-2") for token in first + loose]
    assert {get_corpus(example.reference) for example in examples} == {corpus}
    assert all(get_scope(example.reference) == {"DISEASE"} for example in examples)


@pytest.mark.parametrize("context", ["group", "document"])
def test_a_part_of_a_corpus_is_of_whole_documents(articles: Path, context: str) -> None:
    """Five of them: three articles, and two sentences that belong to none."""
    whole = articles_in(articles, "sentences", context="document")
    for settings in ({"fraction": 0.6}, {"limit": 3}):
        documents = articles_in(articles, "sentences", context="document", **settings)
        assert len(documents) == 3
        assert [text for text in whole if text in documents] == documents
        parts = articles_in(articles, "sentences", context=context, context_tokens=10, **settings)
        assert " ".join(parts) == " ".join(documents)


@pytest.mark.parametrize(("context", "joined"), [("group", "IL-2 rose . So did p53 ."), ("document", None)])
def test_an_excluded_sentence_parts_its_document(articles: Path, tmp_path: Path, context: str, joined: Any) -> None:
    everything = articles_in(articles, "sentences")
    for number, expected in (
        (3, [everything[2], everything[4]]),  # from the middle: what stood before is not joined to what stood after
        (4, [" ".join(everything[2:4])]),
        (2, [" ".join(everything[3:5])]),
    ):
        content = {"sentences": excluding(articles, "sentences", [0, 1, number])}
        file = exclude_file(tmp_path / "exclude.json", content)
        found = articles_in(articles, "sentences", context=context, exclude=file)
        assert found == [*expected, everything[5], *LOOSE]


def test_a_corpus_in_several_files(articles: Path, tmp_path: Path) -> None:
    docs = [example.reference for example in MultiCorpus(articles, "sentences")(blank_nlp())]
    (tmp_path / "sentences" / "train.spacy").mkdir(parents=True)
    for number, part in enumerate((docs[:3], docs[3:]), start=1):
        DocBin(docs=part).to_disk(tmp_path / "sentences" / "train.spacy" / f"{number:04}.spacy")
    for context in ("source", "sentence", "document"):
        expected = articles_in(articles, "sentences", context=context)
        assert articles_in(tmp_path, "sentences", context=context) == expected
