"""Colours of entity types in displaCy.

All colours have enough contrast for black text on them (4.5) and as lines on white (3), by the Web Content
Accessibility Guidelines. Related types have related hues.
"""

from zlib import crc32

displacy_colors = {
    "GENE": "#3189e2",
    "PROTEIN": "#5f81e8",
    "DNA": "#1a91b9",
    "RNA": "#7a7aec",
    "COMPLEX": "#4890a8",
    "REGULON_OPERON": "#5c8ab9",
    "SEQUENCE_FEATURE": "#7f7fc8",
    "REGULATORY_REGION": "#5f93a8",
    "VARIANT": "#9a7fb8",
    "CHEMICAL": "#379a16",
    "AMINO_ACID": "#729115",
    "DISEASE": "#e75555",
    "CANCER": "#e442bc",
    "PATHOLOGICAL_FORMATION": "#c06c96",
    "SPECIES": "#c6711c",
    "ORGANISM_SUBSTANCE": "#ae7c4b",
    "ORGANISM_SUBDIVISION": "#ba755e",
    "CELL": "#a867e9",
    "CELL_TYPE": "#c356e7",
    "CELL_LINE": "#8e7bc6",
    "CELLULAR_COMPONENT": "#ad6fc1",
    "ANATOMY": "#159595",
    "ORGAN": "#169a58",
    "TISSUE": "#169878",
    "MULTI_TISSUE_STRUCTURE": "#40966b",
    "ANATOMICAL_SYSTEM": "#3f9393",
    "DEVELOPING_STRUCTURE": "#419756",
    "IMMATERIAL_ENTITY": "#559640",
}
"""Entity type -> colour, registered with displaCy."""

_OTHERS = (
    "#a58218",
    "#8b8b14",
    "#e65176",
    "#569615",
    "#9d76c4",
    "#40957f",
    "#e15c30",
    "#7085c2",
    "#9b8542",
    "#bd66bd",
)


def color_of(entity_type: str) -> str:
    """Colour of an entity type; other types get a fixed colour of a palette."""
    name = entity_type.upper()
    return displacy_colors.get(name, _OTHERS[crc32(name.encode("utf8")) % len(_OTHERS)])
