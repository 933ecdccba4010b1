"""Files with the whole structure of PubMed's and JATS' DTDs, all contents invented, from XML to a table of mentions."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from bioner_spacy.errors import BionerWarning
from bioner_spacy.formats import read_texts
from bioner_spacy.serving.apply import apply

PUBMED = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE PubmedArticleSet SYSTEM "http://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">
<PubmedArticleSet>
<PubmedArticle>
  <MedlineCitation Status="MEDLINE" IndexingMethod="Automated" Owner="NLM">
    <PMID Version="1">90000001</PMID>
    <DateCompleted><Year>2024</Year><Month>02</Month><Day>03</Day></DateCompleted>
    <DateRevised><Year>2024</Year><Month>02</Month><Day>03</Day></DateRevised>
    <Article PubModel="Print-Electronic">
      <Journal><ISSN IssnType="Electronic">0000-0001</ISSN><JournalIssue CitedMedium="Internet"><Volume>7</Volume><Issue>2</Issue>
        <PubDate><Year>2024</Year><Month>Jan</Month></PubDate></JournalIssue><Title>Journal of invented results</Title>
        <ISOAbbreviation>J Invent Res</ISOAbbreviation></Journal>
      <ArticleTitle>[Loss of <i>NOD2</i> in CD4<sup>+</sup> T cells (<b>part 1</b>): a trial.]</ArticleTitle>
      <Pagination><StartPage>11</StartPage><EndPage>19</EndPage><MedlinePgn>11-9</MedlinePgn></Pagination>
      <ELocationID EIdType="doi" ValidYN="Y">10.0000/invented.1</ELocationID>
      <Abstract>
        <AbstractText Label="BACKGROUND &amp; AIMS" NlmCategory="OBJECTIVE">NOD2 is <i>rarely <b>lost</b></i>; H<sub>2</sub>O is not.</AbstractText>
        <AbstractText Label="RESULTS" NlmCategory="RESULTS">Risk fell (<mml:math xmlns:mml="http://www.w3.org/1998/Math/MathML"><mml:mi>p</mml:mi><mml:mo>&lt;</mml:mo><mml:mn>0.05</mml:mn></mml:math>) with NOD2
          and &#x3b2;-catenin&#xa0;alike.</AbstractText>
        <AbstractText Label="CONCLUSIONS" NlmCategory="CONCLUSIONS"/>
        <CopyrightInformation>Copyright NOD2 Press.</CopyrightInformation>
      </Abstract>
      <AuthorList CompleteYN="Y"><Author ValidYN="Y"><LastName>Nod</LastName><ForeName>Ann</ForeName><Initials>A</Initials>
        <Identifier Source="ORCID">0000-0000-0000-0001</Identifier><AffiliationInfo><Affiliation>NOD2 Institute.</Affiliation></AffiliationInfo></Author>
        <Author ValidYN="Y"><CollectiveName>NOD2 Study Group</CollectiveName></Author></AuthorList>
      <Language>ger</Language>
      <DataBankList CompleteYN="Y"><DataBank><DataBankName>ClinicalTrials.gov</DataBankName><AccessionNumberList>
        <AccessionNumber>NCT00000000</AccessionNumber></AccessionNumberList></DataBank></DataBankList>
      <GrantList CompleteYN="Y"><Grant><GrantID>X1</GrantID><Agency>None</Agency><Country>Nowhere</Country></Grant></GrantList>
      <PublicationTypeList><PublicationType UI="D016428">Journal Article</PublicationType></PublicationTypeList>
      <VernacularTitle>Verlust von NOD2.</VernacularTitle>
      <ArticleDate DateType="Electronic"><Year>2024</Year><Month>01</Month><Day>02</Day></ArticleDate>
    </Article>
    <MedlineJournalInfo><Country>Nowhere</Country><MedlineTA>J Invent Res</MedlineTA><NlmUniqueID>0</NlmUniqueID></MedlineJournalInfo>
    <ChemicalList><Chemical><RegistryNumber>0</RegistryNumber><NameOfSubstance UI="C0">NOD2 protein, human</NameOfSubstance></Chemical></ChemicalList>
    <CitationSubset>IM</CitationSubset>
    <CommentsCorrectionsList><CommentsCorrections RefType="ErratumIn"><RefSource>J Invent Res</RefSource><PMID Version="1">90000009</PMID>
      </CommentsCorrections></CommentsCorrectionsList>
    <MeshHeadingList><MeshHeading><DescriptorName UI="D0" MajorTopicYN="N">Humans</DescriptorName></MeshHeading></MeshHeadingList>
    <OtherAbstract Type="Publisher" Language="ger"><AbstractText>NOD2 fehlt selten.</AbstractText></OtherAbstract>
    <KeywordList Owner="NOTNLM"><Keyword MajorTopicYN="N">NOD2</Keyword></KeywordList>
    <CoiStatement>None; NOD2 Inc. paid nothing.</CoiStatement>
  </MedlineCitation>
  <PubmedData>
    <History><PubMedPubDate PubStatus="pubmed"><Year>2024</Year><Month>1</Month><Day>2</Day></PubMedPubDate></History>
    <PublicationStatus>ppublish</PublicationStatus>
    <ArticleIdList><ArticleId IdType="pubmed">90000001</ArticleId><ArticleId IdType="doi">10.0000/invented.1</ArticleId></ArticleIdList>
    <ReferenceList><Reference><Citation>NOD2 again. 2001.</Citation><ArticleIdList><ArticleId IdType="pubmed">90000008</ArticleId></ArticleIdList></Reference></ReferenceList>
  </PubmedData>
</PubmedArticle>
<PubmedArticle>
  <MedlineCitation Status="PubMed-not-MEDLINE" Owner="NLM"><PMID Version="2">90000002</PMID>
    <Article PubModel="Print"><Journal><JournalIssue CitedMedium="Print"><PubDate><MedlineDate>1999 Spring</MedlineDate></PubDate></JournalIssue></Journal>
      <ArticleTitle>Reply: NOD2?</ArticleTitle><Language>eng</Language><PublicationTypeList><PublicationType UI="D016422">Letter</PublicationType></PublicationTypeList>
    </Article><MedlineJournalInfo><MedlineTA>J Invent Res</MedlineTA></MedlineJournalInfo></MedlineCitation>
</PubmedArticle>
<DeleteCitation><PMID Version="1">90000003</PMID></DeleteCitation>
</PubmedArticleSet>
"""

JATS = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) Journal Archiving and Interchange DTD with MathML3 v1.3 20210610//EN" "JATS-archivearticle1-3-mathml3.dtd">
<article xmlns:mml="http://www.w3.org/1998/Math/MathML" xmlns:xlink="http://www.w3.org/1999/xlink" article-type="research-article" xml:lang="en" dtd-version="1.3">
<?properties open_access?>
<front>
  <journal-meta><journal-id journal-id-type="nlm-ta">J Invent Res</journal-id><journal-title-group><journal-title>NOD2 Journal</journal-title></journal-title-group><issn pub-type="epub">0000-0001</issn></journal-meta>
  <article-meta>
    <article-id pub-id-type="pmcid">PMC90000001</article-id><article-id pub-id-type="pmid">90000001</article-id><article-id pub-id-type="doi">10.0000/invented.1</article-id>
    <article-categories><subj-group subj-group-type="heading"><subject>NOD2 research</subject></subj-group></article-categories>
    <title-group><article-title>Loss of <italic>NOD2</italic><xref ref-type="fn" rid="fn1">*</xref></article-title><subtitle>A trial</subtitle>
      <trans-title-group xml:lang="de"><trans-title>Verlust von NOD2</trans-title></trans-title-group></title-group>
    <contrib-group><contrib contrib-type="author"><name><surname>Nod</surname><given-names>Ann</given-names></name><xref ref-type="aff" rid="a1"><sup>1</sup></xref></contrib>
      <aff id="a1"><label>1</label>NOD2 Institute</aff></contrib-group>
    <author-notes><fn id="fn1"><p>NOD2 funds.</p></fn></author-notes>
    <pub-date pub-type="epub"><day>2</day><month>1</month><year>2024</year></pub-date><volume>7</volume>
    <permissions><copyright-statement>NOD2 Press</copyright-statement><license><license-p>Free.</license-p></license></permissions>
    <abstract><sec><title>Aims</title><p>NOD2 is rarely lost.</p></sec><sec><title>Results</title><p>Risk fell.</p></sec></abstract>
    <abstract abstract-type="summary"><title>Summary</title><p>NOD2 matters.</p></abstract>
    <trans-abstract xml:lang="de"><p>NOD2 fehlt selten.</p></trans-abstract>
    <kwd-group><kwd>NOD2</kwd></kwd-group>
    <funding-group><award-group><funding-source>NOD2 Fund</funding-source></award-group></funding-group>
  </article-meta>
</front>
<body>
  <sec id="s1" sec-type="intro"><label>1</label><title>Introduction</title>
    <p>NOD2 binds MDP [<xref ref-type="bibr" rid="r1">1</xref>,<xref ref-type="bibr" rid="r2">2</xref>]; see Fig. <xref ref-type="fig" rid="f1">1</xref>.</p>
    <boxed-text id="b1"><label>Box 1</label><caption><title>What NOD2 is</title></caption><p>NOD2 senses <named-content content-type="x">bacteria</named-content>.</p>
      <list list-type="bullet"><list-item><p>It is a gene.</p></list-item><list-item><p>NOD2 is old.</p></list-item></list></boxed-text>
    <sec id="s1-1"><label>1.1</label><title>NOD2 in mice</title>
      <p>In mice <inline-formula><alternatives><tex-math id="m1">$p&lt;0.05$</tex-math><mml:math id="m2"><mml:semantics><mml:mrow><mml:mi>p</mml:mi><mml:mo>&lt;</mml:mo><mml:mn>0.05</mml:mn></mml:mrow><mml:annotation encoding="application/x-tex">p&lt;0.05</mml:annotation></mml:semantics></mml:math></alternatives></inline-formula> for NOD2<sup>&#x2212;/&#x2212;</sup>:
        <disp-formula id="e1"><label>(1)</label><mml:math><mml:mi>x</mml:mi><mml:mo>=</mml:mo><mml:mn>2</mml:mn></mml:math></disp-formula> where x counts NOD2.</p>
      <fig id="f1" position="float"><object-id pub-id-type="doi">10.0000/f1</object-id><label>Fig. 1</label><caption><title>NOD2 blots.</title><p>Bars: 5 &#x3bc;m.</p></caption><alt-text>NOD2 picture</alt-text><graphic xlink:href="f1.jpg"/></fig>
      <table-wrap id="t1"><label>Table 1</label><caption><p>NOD2 counts.</p></caption><table><thead><tr><th>NOD2</th></tr></thead><tbody><tr><td>7</td></tr></tbody></table><table-wrap-foot><fn><p>NOD2 low.</p></fn></table-wrap-foot></table-wrap>
    </sec>
  </sec>
  <sec sec-type="supplementary-material"><title>Supplement</title><supplementary-material id="x1"><label>S1</label><caption><p>NOD2 data.</p></caption><media xlink:href="x.zip"/></supplementary-material></sec>
</body>
<back>
  <ack><title>Thanks</title><p>We thank NOD2.</p></ack>
  <glossary><title>Abbreviations</title><def-list><def-item><term>NOD2</term><def><p>a gene</p></def></def-item></def-list></glossary>
  <fn-group><fn fn-type="COI-statement"><p>NOD2 Inc.</p></fn></fn-group>
  <app-group><app><title>Appendix</title><p>More NOD2.</p></app></app-group>
  <ref-list><title>References</title><ref id="r1"><mixed-citation>NOD2 again.</mixed-citation></ref></ref-list>
</back>
<floats-group><fig id="f2"><label>Fig. 2</label><caption><p>NOD2 late.</p></caption></fig></floats-group>
<sub-article article-type="reply" id="sa1"><front-stub><title-group><article-title>Reply on NOD2</article-title></title-group></front-stub><body><p>NOD2!</p></body></sub-article>
</article>
"""


def rows(pipeline: str, source: Path, format: str) -> list[dict[str, Any]]:
    """Rows of the table of mentions, each of which is where it says in the text that is read."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="extra tables")
    out = source.with_name("out.parquet")
    apply(pipeline, source, out, input_format=format)
    texts = {document.doc_id: document.text for document in read_texts(format, source)}
    found: list[dict[str, Any]] = parquet.read_table(out).to_pylist()
    assert all(texts[row["document"]][row["start"] : row["end"]] == row["text"] == "NOD2" for row in found)
    return found


@pytest.mark.filterwarnings("ignore::bioner_spacy.errors.BionerWarning")
def test_pubmed(pipeline: str, tmp_path: Path) -> None:
    """Title and abstract with sections and formulas, and nothing else that names the gene."""
    path = tmp_path / "pubmed24n0001.xml.gz"
    path.write_bytes(gzip.compress(PUBMED.encode()))
    found = [(row["document"], row["passage"], row["section"]) for row in rows(pipeline, path, "pubmed")]
    assert found == [
        ("90000001", "title", ""),
        ("90000001", "abstract", "BACKGROUND & AIMS"),
        ("90000001", "abstract", "RESULTS"),
        ("90000002", "title", ""),
    ]
    with pytest.warns(BionerWarning, match="1 abstract in another language.*1 title in the original language"):
        first, second = read_texts("pubmed", path)
    assert first.text == (
        "[Loss of NOD2 in CD4+ T cells (part 1): a trial.] NOD2 is rarely lost; H2O is not. "
        "Risk fell (p<0.05) with NOD2 and \u03b2-catenin\u00a0alike."
    )
    assert second.text == "Reply: NOD2?"


@pytest.mark.filterwarnings("ignore::bioner_spacy.errors.BionerWarning")
def test_full_text(pipeline: str, tmp_path: Path) -> None:
    """Everything that is read as text, once, in its section; the rest is counted."""
    path = tmp_path / "PMC90000001.nxml"
    path.write_text(JATS, encoding="utf-8")
    found = rows(pipeline, path, "jats")
    assert {row["document"] for row in found} == {"PMC90000001"}
    with pytest.warns(BionerWarning, match="W107") as warned:
        [document] = read_texts("jats", path)
    message = " ".join(str(one.message) for one in warned)
    kinds = ("1 table", "2 footnotes", "1 list of references", "1 sub-article")
    for kind in (*kinds, "1 translated abstract", "1 translated title"):
        assert f" {kind} (" in message, kind
    passages = [document.text[passage.start : passage.end] for passage in document.passages]
    assert passages == [
        "Loss of NOD2 *",
        "A trial",
        *("Aims", "NOD2 is rarely lost.", "Results", "Risk fell.", "Summary", "NOD2 matters."),
        *("Introduction", "NOD2 binds MDP [1,2]; see Fig. 1.", "What NOD2 is", "NOD2 senses bacteria."),
        *("It is a gene.", "NOD2 is old.", "NOD2 in mice", "In mice p<0.05 for NOD2\u2212/\u2212:", "x=2"),
        *("where x counts NOD2.", "NOD2 blots.", "Bars: 5 \u03bcm.", "NOD2 counts.", "Supplement", "NOD2 data."),
        *("Thanks", "We thank NOD2.", "Abbreviations", "NOD2", "a gene", "Appendix", "More NOD2.", "NOD2 late."),
    ]
    # The tokenizer keeps NOD2-/- in one piece.
    assert len(found) == sum("NOD2" in passage for passage in passages) - 1
    sections = {row["section"] for row in found}
    assert {"Aims", "Introduction", "Supplement", "Thanks", ""} <= sections
