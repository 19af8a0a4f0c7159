"""Headless Chromium, as a SOC's wall, a laptop or a phone has it."""
import json

from harness.exeat import REPOSITORY
from harness.wait import wait_until
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains

PICTURES = REPOSITORY / "build/page"


class Browser:
    def __init__(self, log):
        options = Options()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-proxy-server", "--disable-dev-shm-usage"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver", log_path=str(log)), options=options)
        PICTURES.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()

    def look_like(self, width, height, dark=False):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def becomes(self, script, *arguments):
        """Waits until the script returns something that is true there, and returns it."""
        return wait_until(lambda: self.run(script, *arguments), 60, script)

    def shows(self, selector, *words, within=60):
        wait_until(lambda: all(w in self.text(selector) for w in words), within, f"{selector} shows {words}, and not: {self.text(selector)!r}")

    def press(self, *keys):
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def picture(self, name):
        self.driver.save_screenshot(str(PICTURES / f"{name}.png"))

    def complaints(self):
        """What the browser itself objected to, such as a breach of the page's policy; and what scripts threw."""
        return [m["message"] for m in self.driver.get_log("browser")]

    def asked_for(self):
        """Every address that was asked for since the last call."""
        events = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
