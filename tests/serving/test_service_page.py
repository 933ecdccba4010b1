"""The page of the service in a browser without a window."""

import csv
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from spacy.language import Language

pytest.importorskip("fastapi")
pytest.importorskip("selenium")
import uvicorn
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from bioner_spacy.serving.service import listen, make_app

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="there are no programs chromium and chromedriver"),
]
TEXT = "𝛽 Mutations of NOD2 in Crohn disease. The NOD2 protein complex of aspirin."
INJECTION = """<img src=x onerror="document.title='owned'"><script>document.title='owned'</script> aspirin </div>"""
SCREENSHOTS = os.environ.get("BIONER_SCREENSHOTS", "")
"""Folder for pictures of the page; none are taken where it is empty."""


@pytest.fixture
def address(nlp: Language) -> Iterator[str]:
    """Address of a service that runs."""
    with listen("127.0.0.1", 0) as bound:
        server = uvicorn.Server(uvicorn.Config(make_app(nlp), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/"
        server.should_exit = True
        thread.join()


@pytest.fixture
def browser(tmp_path: Path, address: str) -> Iterator[Any]:
    """Chromium with the page; at the end its console is empty, so that nothing broke the content security policy."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--window-size=1200,900",
    ):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"download.default_directory": str(tmp_path)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=DRIVER))
    browser.get(address)
    wait(lambda: browser.find_element(By.ID, "pipeline").text)
    yield browser
    console = browser.get_log("browser")
    requests = [json.loads(line["message"])["message"] for line in browser.get_log("performance")]
    browser.quit()
    assert console == []
    sent = [one["params"]["request"]["url"] for one in requests if one["method"] == "Network.requestWillBeSent"]
    assert [url for url in sent if not url.startswith((address, f"blob:{address}"))] == []


def wait(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Wait until something is so, and return it."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)
    return value


def annotate(browser: Any, text: str) -> None:
    """Put a text into the page and have it annotated by the keyboard."""
    area = browser.find_element(By.ID, "text")
    # Typing cannot make characters outside of the basic plane.
    browser.execute_script("arguments[0].value = arguments[1]", area, text)
    area.send_keys(Keys.CONTROL, Keys.ENTER)
    wait(lambda: " s" in status(browser) and browser.find_element(By.ID, "annotate").is_enabled())


def status(browser: Any) -> str:
    return str(browser.find_element(By.ID, "status").text)


def drawn(browser: Any) -> list[tuple[str, str]]:
    """Texts and types of entities in the drawing, the names of inner ones included in the text of outer ones."""
    script = """return [...document.querySelectorAll('.entity')].map((e) => {
      const names = [...e.children].filter((c) => c.className === 'name');
      return [[...e.childNodes].filter((c) => !names.includes(c)).map((c) => c.textContent).join(''), names.map((n) => n.textContent).join()];
    })"""
    return [tuple(pair) for pair in browser.execute_script(script)]


def slide(browser: Any, value: float) -> None:
    """Move the threshold with the keys of a slider."""
    slider = browser.find_element(By.ID, "threshold")
    slider.send_keys(Keys.HOME)
    slider.send_keys(Keys.ARROW_RIGHT * round(100 * value))


def picture(browser: Any, name: str) -> None:
    if SCREENSHOTS:
        browser.save_screenshot(str(Path(SCREENSHOTS, f"{name}.png")))


def test_annotate_switch_slide_and_hover(browser: Any) -> None:
    annotate(browser, TEXT)
    assert status(browser).startswith("6 entities in ")
    everything = drawn(browser)
    assert ("NOD2", "GENE") in everything and ("Crohn disease", "DISEASE") in everything
    # One entity in another, and one that crosses the end of another, which is cut there.
    assert everything[2:] == [
        ("NOD2GENE protein complex", "COMPLEX"),
        ("NOD2", "GENE"),
        ("protein complex", ""),
        (" of", "PROTEIN"),
        ("aspirin", "CHEMICAL"),
    ]
    picture(browser, "desktop-light")
    requests = "return performance.getEntriesByType('resource').length"
    before = browser.execute_script(requests)
    slide(browser, 0.5)
    assert browser.find_element(By.ID, "least").text == "0.50"
    assert status(browser).startswith("4 of 6 entities")
    assert [label for _, label in drawn(browser)] == ["GENE", "DISEASE", "GENE", "CHEMICAL"]
    browser.find_element(By.CSS_SELECTOR, "input[value=GENE]").click()
    assert [label for _, label in drawn(browser)] == ["DISEASE", "CHEMICAL"]
    none, every = (browser.find_element(By.XPATH, f"//button[text()='{name}']") for name in ("None", "All"))
    none.click()
    assert drawn(browser) == []
    every.click()
    assert len(drawn(browser)) == 4
    browser.find_element(By.CSS_SELECTOR, "input[value=GENE]").click()
    assert browser.execute_script(requests) == before  # without another request
    browser.execute_script("document.querySelector('.entity').focus()")
    tip = browser.find_element(By.ID, "tip")
    assert tip.text == "Crohn disease\nDISEASE, score 0.90"
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not tip.is_displayed()
    webdriver.ActionChains(browser).move_to_element(browser.find_elements(By.CLASS_NAME, "entity")[1]).perform()
    assert tip.text == "aspirin\nCHEMICAL, score 0.60"
    picture(browser, "desktop-hover")


def test_downloads(browser: Any, tmp_path: Path) -> None:
    annotate(browser, TEXT)
    browser.find_element(By.CSS_SELECTOR, "input[value=DISEASE]").click()
    slide(browser, 0.5)
    names = {"bioc": "entities.json", "pubtator": "entities.pubtator", "csv": "entities.csv"}
    for format, name in names.items():
        browser.find_element(By.CSS_SELECTOR, f"[data-format={format}]").click()
        wait((tmp_path / name).is_file)
    with (tmp_path / "entities.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [(TEXT[int(row["start"]) : int(row["end"])], row["text"]) for row in csv.DictReader(file)]
    assert rows == [("NOD2", "NOD2"), ("NOD2", "NOD2"), ("aspirin", "aspirin")]
    [document] = json.loads((tmp_path / "entities.json").read_text("utf8"))["documents"]
    assert [one["infons"]["type"] for one in document["passages"][0]["annotations"]] == ["GENE", "GENE", "CHEMICAL"]
    assert "\taspirin\tCHEMICAL" in (tmp_path / "entities.pubtator").read_text("utf8")


def test_texts_are_never_markup(browser: Any) -> None:
    title = browser.title
    annotate(browser, INJECTION)
    assert drawn(browser) == [("aspirin", "CHEMICAL")]
    assert browser.find_element(By.ID, "nothing").text == "None found: COMPLEX, DISEASE, GENE, PROTEIN"
    assert browser.find_element(By.ID, "drawn").get_property("textContent") == INJECTION.replace(
        "aspirin", "aspirinCHEMICAL"
    )
    for element in ("img", "script"):
        assert browser.find_elements(By.CSS_SELECTOR, f"main {element}") == []
    assert browser.title == title


def test_examples_and_messages(browser: Any) -> None:
    browser.find_element(By.ID, "annotate").click()
    assert status(browser) == "There is no text: paste one, or pick an example."
    example = Select(browser.find_element(By.ID, "example"))
    assert len(example.options) == 9
    example.select_by_index(5)
    wait(lambda: " s" in status(browser))
    picture(browser, "example")
    annotate(browser, "Nothing is here.")
    assert status(browser).startswith("0 entities")
    area = browser.find_element(By.ID, "text")
    area.clear()
    area.send_keys("boom")
    browser.find_element(By.ID, "annotate").click()
    wait(lambda: "The pipeline failed on a text (RuntimeError)" in status(browser))
    browser.get_log("browser")  # in which Chromium notes the status of the answer


def test_on_a_phone_in_the_dark(browser: Any) -> None:
    metrics = {"width": 375, "height": 812, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    annotate(browser, TEXT)
    width, scroll, background = browser.execute_script(
        "const d = document.documentElement; return [d.clientWidth, d.scrollWidth, getComputedStyle(document.body).backgroundColor]"
    )
    assert scroll <= width  # nothing to scroll sideways for
    assert background == "rgb(23, 25, 28)"
    browser.find_element(By.TAG_NAME, "summary").click()
    picture(browser, "phone-dark")
    browser.execute_script("window.scrollTo(0, 10000)")
    browser.execute_script("document.querySelectorAll('.entity')[2].focus()")
    assert browser.find_element(By.ID, "tip").is_displayed()
    picture(browser, "phone-dark-below")
