"""The documents stay true: links lead somewhere, every dependency is accounted for, both READMEs say the same."""

import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path for folder in (PROJECT, PROJECT / "docs", PROJECT / "docs" / "decisions") for path in folder.glob("*.md")
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)")
_PATH_IN_CODE = re.compile(r"`((?:services|api|devices|ops|tests|docs|migrations)/[\w./-]+)`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_links_and_named_files_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    local = [link for link in _LINK.findall(text) if "://" not in link]
    missing = [link for link in local if not (document.parent / link).exists()]
    named = [path for path in _PATH_IN_CODE.findall(text) if "YYYY" not in path]
    missing += [path for path in named if not (PROJECT / path).exists()]
    assert missing == []


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    required = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    declared = {re.split(r"[\[<>=;]", requirement)[0] for requirement in required}
    text = (PROJECT / "docs" / "dependencies.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE)) == declared
    assert "GNU Affero" not in text


def test_both_readmes_lead_to_the_same_places() -> None:
    english, chinese = (PROJECT / name for name in ("README.md", "README.zh-CN.md"))
    others = {"README.md", "README.zh-CN.md"}
    assert set(_LINK.findall(english.read_text("utf-8"))) - others == (
        set(_LINK.findall(chinese.read_text("utf-8"))) - others
    )


def test_every_decision_is_listed() -> None:
    folder = PROJECT / "docs" / "decisions"
    listed = set(_LINK.findall((folder / "README.md").read_text("utf-8")))
    assert listed == {path.name for path in folder.glob("0*.md")}


NAMES = {
    "services.orders.models": ("Order",),
    "services.catalogue.models": ("ServiceItem", "ServiceItemVersion", "CentreItem"),
    "services.consents.models": ("Consent",),
    "services.assessments.models": ("AbilityAssessment", "SelfCareRating", "FirstAssessment"),
    "services.catalogue.pricing": ("PriceRule", "Quote"),
    "services.dispatch.models": ("Offer", "Booking"),
    "services.dispatch.errors": ("DoubleBooked",),
    "services.visits.models": ("Visit",),
    "services.billing.models": ("Settlement", "SettlementLine"),
    "services.quality.models": ("Rating",),
    "services.terminals.models": ("Terminal", "TerminalBinding"),
    "services.vitals.models": ("Reading", "DeadLetter"),
    "services.rules.models": ("VitalRule", "VitalRuleVersion", "ResidentAttribute", "Maintenance"),
    "services.alerts.models": ("Alert", "AlertOccurrence", "Escalation"),
    "services.audit.models": ("AccessLog",),
    "services.residents.models": ("Resident", "EmergencyContact", "CareRelationship"),
    "services.caregivers.models": ("Caregiver", "Credential", "Shift"),
    "services.centres.models": ("Centre",),
    "services.core.transitions": ("StatusChange",),
}


def test_the_glossary_names_what_the_code_has() -> None:
    glossary = (PROJECT / "docs" / "glossary.md").read_text("utf-8")
    for module, names in NAMES.items():
        found = import_module(module)
        for name in names:
            assert hasattr(found, name)
            assert re.search(rf"`{name}[.`]", glossary), name
    terms = re.findall(r"^\| ([^|]+) \|", glossary, re.MULTILINE)
    terms = [term for term in terms if term != "中文"]
    assert len(terms) == len(set(terms))
