"""The line to the server: the page says when it is cut, reads by asking, and tells what came meanwhile."""

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser
PATIENCE_MS = 40_000
PLACE = "/inbox?tab=all&platform=shopee&sort=newest&key=shopee%2Fsg-1%2Fline-1"


@pytest.fixture
def line():
    """Leads a page's socket through here: `.cut()` ends it and lets no other one in until `.mend()`."""

    class Line:
        def __init__(self):
            self.whole, self.sockets = True, []

        async def through(self, socket):
            if not self.whole:
                await socket.close()
                return
            socket.connect_to_server()
            self.sockets.append(socket)

        async def cut(self):
            self.whole = False
            for socket in self.sockets:
                await socket.close()
            self.sockets.clear()

        def mend(self):
            self.whole = True

    return Line()


async def test_a_cut_line_is_told_and_what_was_missed_is_counted(logged_in, wrote, line):
    await wrote("line-1", "Before", name="Line One")
    page = await logged_in("/login", name="Ann Ho")
    await page.route_web_socket("**/api/v1/inbox/live", line.through)
    await page.goto(PLACE)
    await expect(page.locator(".ib-head-name")).to_contain_text("Line One")
    await expect(page.locator(".ib-row", has_text="Line One")).to_contain_text("Before", timeout=PATIENCE_MS)
    strip = page.locator(".ib-strip")
    await expect(page.locator(".ib")).to_have_attribute("data-line", "current", timeout=PATIENCE_MS)
    await line.cut()
    await expect(strip).to_contain_text("Live updates are interrupted", timeout=PATIENCE_MS)
    await wrote("line-1", "Meanwhile", name="Line One")
    await expect(page.locator(".ib-row", has_text="Line One")).to_contain_text("Meanwhile", timeout=PATIENCE_MS)
    line.mend()
    await expect(strip).to_contain_text("1 new message while you were away", timeout=PATIENCE_MS)
    await strip.get_by_role("button", name="Close").click()
    await expect(strip).to_have_count(0)


async def test_without_a_network_it_says_so(logged_in, line):
    page = await logged_in("/login", name="Ann Ho")
    await page.route_web_socket("**/api/v1/inbox/live", line.through)
    await page.goto("/inbox?tab=all")
    await expect(page.locator(".ib-row .ib-name").first).to_be_visible(timeout=PATIENCE_MS)
    await page.route("**/api/v1/**", lambda route: route.abort())
    await line.cut()
    await expect(page.locator(".ib-strip")).to_contain_text("No connection", timeout=PATIENCE_MS)
    await page.unroute("**/api/v1/**")
    line.mend()
    await expect(page.locator(".ib-strip.is-red")).to_have_count(0, timeout=PATIENCE_MS)
