"""The map: its geometry against numpy, and what it does under pointer, wheel, fingers and keys."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from modules import ADDRESS, Modules
from PIL import Image
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

LEFT, TOP, WIDTH, HEIGHT = 20, 10, 600, 400  # where the map lies in the page, in CSS pixels
RED, BLUE = [255, 0, 0, 255], [0, 0, 255, 255]

PAGE = f"""<!doctype html><title>map</title><meta name="viewport" content="width=device-width">
<style>
  :root {{ --ink: rgb(0, 0, 0); --paper: rgb(255, 255, 255); --accent: rgb(255, 0, 255); }}
  body {{ margin: 0; height: 3000px; background: var(--paper); }}
  #map {{ position: absolute; left: {LEFT}px; top: {TOP}px; width: {WIDTH}px; height: {HEIGHT}px; }}
</style><div id="map"></div>"""

OPEN = """async ({ positions, dimension, colours, renderer }) => {
  const { createMap } = await import("/map/map.js");
  window.element = document.getElementById("map");
  window.map = createMap(element, { label: "Latent space", renderer: renderer ?? undefined });
  window.events = { hover: [], pick: [], select: [], view: [], move: [] };
  map.onHover = (hit) => events.hover.push(hit);
  map.onPick = (hit) => events.pick.push(hit);
  map.onSelect = ({ indices, polygon }) => events.select.push([...indices]);
  map.onView = (told) => events.view.push(told);
  map.onMove = (move) => events.move.push(move);
  window.settled = () => new Promise((resolve) => {
    const before = map.onView;
    map.onView = (told) => {
      before(told);
      if (told.isSettled) { map.onView = before; resolve(); }
    };
  });
  window.painted = () => new Promise((resolve) =>
    requestAnimationFrame(() => requestAnimationFrame(resolve)));
  map.setPoints(positions, { dimension, glide: false });
  if (colours) map.setColours(colours, { glide: false });
  await settled();
}"""


class Map:
    """A map in a page of its own; places are CSS pixels from its upper left corner."""

    def __init__(self, modules: Modules, positions: np.ndarray, **options: Any) -> None:
        self.modules, self.page = modules, modules.page
        self.page.set_default_timeout(10_000)
        modules.serve("/map.html", PAGE.encode(), "text/html")
        self.page.goto(f"{ADDRESS}/map.html")
        inputs = {"colours": None, "renderer": "canvas", **options}
        positions = positions.astype(np.float32)
        modules.run(OPEN, positions=positions, dimension=positions.shape[1], **inputs)

    def run(self, code: str, **inputs: Any) -> Any:
        """Run JavaScript that may await and use `map` and the names of inputs."""
        names = ", ".join(inputs)
        return self.modules.run(f"async ({{ {names} }}) => {{ {code} }}", **inputs)

    def events(self, name: str) -> list[Any]:
        """What was told by that name since the last look."""
        return self.run(f"await painted(); return events.{name}.splice(0)")

    @property
    def view(self) -> dict[str, float]:
        return self.run("return map.view")

    def screen(self, place: np.ndarray) -> np.ndarray:
        return np.array(self.run("return map.toScreen(place)", place=[float(v) for v in place]))

    def move(self, x: float, y: float) -> None:
        self.page.mouse.move(float(LEFT + x), float(TOP + y))

    def drag(self, *corners: tuple[float, float]) -> None:
        self.move(*corners[0])
        self.page.mouse.down()
        for corner in corners[1:]:
            self.page.mouse.move(LEFT + corner[0], TOP + corner[1], steps=4)
        self.page.mouse.up()

    def pixels(self) -> np.ndarray:
        """What is to be seen, shape (HEIGHT, WIDTH, 3) in [0, 1]."""
        self.run("await painted()")
        clip = {"x": LEFT, "y": TOP, "width": WIDTH, "height": HEIGHT}
        shot = Image.open(io.BytesIO(self.page.screenshot(clip=clip)))
        return np.asarray(shot.convert("RGB")) / 255


@pytest.fixture
def points() -> np.ndarray:
    """Points of the plane, shape (2000, 2)."""
    return np.random.default_rng(0).normal(size=(2000, 2)) * [3, 2]


@pytest.fixture
def plane(modules: Modules, points: np.ndarray) -> Map:
    return Map(modules, points)


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Callable[[np.ndarray], Map]]:
    """Opens a map on a device with fingers for pointers."""
    context = chromium.new_context(has_touch=True, viewport={"width": 700, "height": 600})
    yield lambda positions: Map(Modules(context.new_page()), positions)
    context.close()


# Geometry

CAMERA = """async ({ points, state, size, isFlat, places }) => {
  const { Camera, extentOf } = await import("/map/camera.js");
  const camera = new Camera();
  camera.extent = extentOf(points, isFlat);
  camera.resize(...size);
  Object.assign(camera.state, state);
  const before = [100, 120];
  const result = {
    screen: camera.project(points), matrix: camera.matrix, unit: camera.unit,
    eye: camera.eye, unprojected: Float32Array.from(camera.unproject(...before)),
    covariance: camera.projectCovariance([2, 0.5, 1, 0.2, -0.3, 0.7], 0),
  };
  camera.zoomAt(...before, 1.7);
  result.zoomed = Float32Array.from(camera.unproject(...before));
  camera.pan(13, -7);
  result.panned = Float32Array.from(camera.unproject(before[0] + 13, before[1] - 7));
  return result;
}"""


@pytest.mark.parametrize("is_flat", [True, False])
def test_the_camera_projects_as_its_matrices_do(modules: Modules, is_flat: bool) -> None:
    points = np.random.default_rng(1).normal(size=(300, 3)).astype(np.float32)
    if is_flat:
        points[:, 2] = 0
    turn, tilt = (0.0, 0.0) if is_flat else (0.7, 1.1)
    middle, scale = np.array([0.2, -0.1, 0.0 if is_flat else 0.3]), 60.0
    state = {"x": 0.2, "y": -0.1, "z": middle[2], "scale": scale, "turn": turn, "tilt": tilt}
    result = modules.run(
        CAMERA, points=points, state=state, size=[WIDTH, HEIGHT], isFlat=is_flat, places=None
    )
    about_z = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    about_x = [[1, 0, 0], [0, np.cos(tilt), np.sin(tilt)], [0, -np.sin(tilt), np.cos(tilt)]]
    rotation = np.array(about_x) @ np.array(about_z)
    seen = (points - middle) @ rotation.T * scale
    w = 1 - seen[:, 2] / result["eye"]
    expected = np.stack(
        [WIDTH / 2 + seen[:, 0] / w, HEIGHT / 2 - seen[:, 1] / w, seen[:, 2]], axis=1
    )
    np.testing.assert_allclose(result["screen"].reshape(-1, 3), expected, atol=2e-3)

    matrix = result["matrix"].reshape(4, 4).T
    clip = np.c_[points, np.ones(len(points))] @ matrix.T
    np.testing.assert_allclose(clip[:, 3], w, atol=1e-5)
    np.testing.assert_allclose((clip[:, 0] / clip[:, 3] + 1) * WIDTH / 2, expected[:, 0], atol=5e-3)
    np.testing.assert_allclose(
        (1 - clip[:, 1] / clip[:, 3]) * HEIGHT / 2, expected[:, 1], atol=5e-3
    )

    across, up = (100 - WIDTH / 2) / scale, (HEIGHT / 2 - 120) / scale
    place = middle + rotation[0] * across + rotation[1] * up
    np.testing.assert_allclose(result["unprojected"], place, atol=1e-4)
    np.testing.assert_allclose(result["zoomed"], place, atol=1e-4)
    np.testing.assert_allclose(result["panned"], place, atol=1e-4)

    sigma = np.array([[2, 0.5, 0.2], [0.5, 1, -0.3], [0.2, -0.3, 0.7]])
    jacobian = np.stack([rotation[0], -rotation[1]]) * scale
    flat = jacobian @ sigma @ jacobian.T
    np.testing.assert_allclose(result["covariance"], [flat[0, 0], flat[0, 1], flat[1, 1]])


@pytest.mark.parametrize("kind", ["clusters", "line", "one", "same", "none", "far"])
def test_the_nearest_point_is_the_nearest(modules: Modules, kind: str) -> None:
    random = np.random.default_rng(2)
    points = {
        "clusters": random.normal(size=(4000, 2)) + random.integers(0, 4, (4000, 1)) * 5,
        "line": np.c_[random.normal(size=500), np.zeros(500)],
        "one": np.array([[1.0, 2.0]]),
        "same": np.ones((50, 2)),
        "none": np.zeros((0, 2)),
        "far": np.r_[random.normal(size=(500, 2)), [[1e5, -1e5]]],
    }[kind].astype(np.float32)
    queries = random.uniform(-6, 20, size=(400, 2)).astype(np.float32)
    accepted = (random.random(len(points)) < 0.5).astype(np.uint8)
    found = modules.run(
        """async ({ points, queries, accepted, reach }) => {
          const { PointIndex } = await import("/map/picking.js");
          const index = new PointIndex(points, 2);
          const near = (mask, reach) => Int32Array.from({ length: queries.length / 2 }, (_, i) =>
            index.nearest(queries[2 * i], queries[2 * i + 1], reach, mask));
          return { all: near(null, Infinity), some: near(accepted, reach) };
        }""",
        points=points,
        queries=queries,
        accepted=accepted,
        reach=1.5,
    )
    if len(points) == 0:
        assert (found["all"] == -1).all()
        return
    distances = np.linalg.norm(queries[:, None].astype(float) - points[None], axis=2)
    every = np.arange(len(queries))
    np.testing.assert_allclose(distances[every, found["all"]], distances.min(1))
    masked = np.where(accepted[None] == 1, distances, np.inf)
    is_near = masked.min(1) <= 1.5
    assert ((found["some"] >= 0) == is_near).all()
    np.testing.assert_allclose(masked[every, found["some"]][is_near], masked.min(1)[is_near])


def test_a_look_for_the_nearest_takes_less_than_a_millisecond(modules: Modules) -> None:
    points = np.random.default_rng(3).normal(size=(55_000, 2)).astype(np.float32)
    median = modules.run(
        """async ({ points }) => {
          const { PointIndex } = await import("/map/picking.js");
          const index = new PointIndex(points, 2);
          const times = [];
          for (let round = 0; round < 15; round++) {
            const start = performance.now();
            for (let i = 0; i < 100; i++) index.nearest(3 * Math.sin(i), 3 * Math.cos(i), 0.1);
            times.push((performance.now() - start) / 100);
          }
          return times.sort((a, b) => a - b)[7];
        }""",
        points=points,
    )
    assert median < 1


def _is_inside(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Whether a simple polygon, seen from each point, turns once around it."""
    corners = polygon[None] - points[:, None]
    angles = np.arctan2(corners[..., 1], corners[..., 0])
    turns = np.diff(np.concatenate([angles, angles[:, :1]], axis=1), axis=1)
    turns = (turns + np.pi) % (2 * np.pi) - np.pi
    return np.abs(turns.sum(1)) > np.pi


def test_the_points_inside_a_polygon_are_those_inside(modules: Modules) -> None:
    random = np.random.default_rng(4)
    points = random.uniform(-3, 3, size=(5000, 2)).astype(np.float32)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    polygon = np.c_[np.cos(angles), np.sin(angles)] * random.uniform(0.6, 2.8, size=(40, 1))
    found = modules.run(
        """async ({ points, polygon }) => {
          const { PointIndex } = await import("/map/picking.js");
          return new PointIndex(points, 2).inside(polygon);
        }""",
        points=points,
        polygon=polygon,
    )
    np.testing.assert_array_equal(found, np.flatnonzero(_is_inside(points, polygon)))


def test_labels_do_not_lie_on_each_other(modules: Modules) -> None:
    random = np.random.default_rng(5)
    boxes = [
        {"x": float(x), "y": float(y), "width": 20, "height": 18}
        for x, y in random.uniform(0, 120, size=(40, 2))
    ]
    placed = modules.run(
        "async ({ boxes }) => (await import('/map/labels.js')).placeLabels(boxes)", boxes=boxes
    )
    assert placed[0] == {"x": boxes[0]["x"], "y": boxes[0]["y"]}
    kept = np.array([[place["x"], place["y"]] for place in placed if place])
    assert 15 < len(kept) < 40
    gaps = np.abs(kept[:, None] - kept[None])
    overlap = (gaps[..., 0] < 20 - 1e-9) & (gaps[..., 1] < 18 - 1e-9)
    assert overlap.sum() == len(kept)  # each with itself


def test_a_label_stands_on_the_median_of_its_points(modules: Modules) -> None:
    random = np.random.default_rng(10)
    groups = random.integers(0, 4, 901).astype(np.uint8)
    points = (random.normal(size=(901, 3)) + 3 * groups[:, None]).astype(np.float32)
    middles = modules.run(
        """async ({ points, groups }) =>
          (await import("/map/labels.js")).middlesOf(points, 3, groups, 5)""",
        points=points,
        groups=groups,
    ).reshape(5, 3)
    for group in range(4):
        part = np.sort(points[groups == group], axis=0)
        np.testing.assert_array_equal(middles[group], part[len(part) // 2])
    assert np.isnan(middles[4]).all()


def test_what_is_near_is_drawn_last_and_what_is_dimmed_first(modules: Modules) -> None:
    random = np.random.default_rng(6)
    screen = random.normal(size=(1000, 3)).astype(np.float32)
    pickable = (random.random(1000) < 0.5).astype(np.uint8)
    order = modules.run(
        """async ({ screen, pickable }) =>
          (await import("/map/appearance.js")).drawingOrder(1000, screen, pickable)""",
        screen=screen,
        pickable=pickable,
    )
    np.testing.assert_array_equal(np.sort(order), np.arange(1000))
    n_dimmed = (pickable == 0).sum()
    assert (pickable[order[:n_dimmed]] == 0).all()
    step = np.ptp(screen[:, 2]) / 4000
    for part in (order[:n_dimmed], order[n_dimmed:]):
        assert (np.diff(screen[part, 2]) > -step).all()


def test_an_interrupted_glide_goes_on_from_where_it_was(modules: Modules) -> None:
    result = modules.run(
        """async () => {
          const { GlidingArray } = await import("/map/motion.js");
          const array = new GlidingArray(Float32Array.of(0, 0));
          array.set(Float32Array.of(10, 20), 1000, 300);
          const halfway = array.now(1150);
          array.set(Float32Array.of(-10, 0), 1150, 300);
          const result = [halfway, array.now(1150), array.now(1150 + 300), array.isMoving(1449)];
          array.set(Float32Array.of(1, 2, 3), 2000, 300);
          return [...result, array.now(2000)];
        }"""
    )
    np.testing.assert_allclose(result[0], [5, 10])
    np.testing.assert_allclose(result[1], result[0])
    np.testing.assert_allclose(result[2], [-10, 0])
    assert result[3] is True
    np.testing.assert_allclose(result[4], [1, 2, 3])


# Pointer and wheel


def test_hovering_tells_the_nearest_point_and_else_the_place(
    plane: Map, points: np.ndarray
) -> None:
    plane.move(320, 210)
    (hit,) = plane.events("hover")
    pointed = plane.run("return map.toData(320, 210)")
    nearest = np.linalg.norm(points - pointed, axis=1).argmin()
    assert hit["index"] == nearest
    np.testing.assert_allclose(hit["place"], points[nearest], atol=1e-5)
    np.testing.assert_allclose([hit["x"], hit["y"]], plane.screen(points[nearest]), atol=0.01)

    plane.move(4, 6)
    (hit,) = plane.events("hover")
    assert hit["index"] == -1
    np.testing.assert_allclose(plane.screen(hit["place"]), [4, 6], atol=1e-3)

    plane.page.mouse.move(LEFT + WIDTH + 30, 20)
    assert plane.events("hover") == [None]


def test_a_click_picks_and_a_drag_does_not(plane: Map, points: np.ndarray) -> None:
    x, y = plane.screen(points[7])
    plane.page.mouse.click(LEFT + x, TOP + y)
    (hit,) = plane.events("pick")
    nearest = np.linalg.norm(points - hit["place"], axis=1).argmin()
    assert (hit["index"], hit["by"]) == (nearest, "pointer")
    plane.page.mouse.click(LEFT + 5, TOP + 5)
    (hit,) = plane.events("pick")
    assert hit["index"] == -1
    plane.drag((200, 200), (240, 210))
    assert plane.events("pick") == []


def test_the_wheel_zooms_about_the_pointer(plane: Map) -> None:
    plane.move(150, 90)
    before = plane.run("return map.toData(150, 90)")
    plane.page.mouse.wheel(0, -400)
    plane.page.wait_for_function("map.view.zoom > 1.5")
    np.testing.assert_allclose(plane.run("return map.toData(150, 90)"), before, atol=1e-6)
    view = plane.events("view")[-1]
    assert view["view"]["zoom"] == pytest.approx(np.exp(400 * 0.0016))
    assert plane.run("return scrollY") == 0


def test_a_drag_pans_by_what_the_pointer_goes(plane: Map) -> None:
    held = plane.run("return map.toData(200, 150)")
    plane.drag((200, 150), (260, 130))
    np.testing.assert_allclose(plane.screen(held), [260, 130], atol=1e-3)


@pytest.mark.parametrize("by", ["shift", "mode"])
def test_a_lasso_selects_the_points_inside(plane: Map, points: np.ndarray, by: str) -> None:
    corners = [(150, 100), (420, 80), (300, 180), (450, 320), (170, 300)]
    if by == "mode":
        plane.run("map.setMode('lasso')")
        plane.drag(*corners)
    else:
        plane.page.keyboard.down("Shift")
        plane.drag(*corners)
        plane.page.keyboard.up("Shift")
    (indices,) = plane.events("select")
    places = plane.run("return places.map((p) => map.toScreen(p))", places=points.tolist())
    inside = _is_inside(np.array(places), np.array(corners, dtype=float))
    assert 100 < len(indices) < 2000
    # The outline's corners lie up to 3 pixels apart from the drag's own.
    edge = set(np.flatnonzero(inside)) ^ set(indices)
    assert len(edge) <= 10
    assert plane.view["zoom"] == pytest.approx(1)


def test_a_box_selects_exactly_the_points_inside(plane: Map, points: np.ndarray) -> None:
    mask = np.zeros(len(points), np.uint8)
    mask[::3] = 1
    mask[1::3] = 2
    plane.run("map.setDimmed(mask); map.setMode('box')", mask=mask)
    plane.drag((420, 300), (180, 90))
    (indices,) = plane.events("select")
    x, y = np.array(
        plane.run("return places.map((p) => map.toScreen(p))", places=points.tolist())
    ).T
    inside = (x > 180) & (x < 420) & (y > 90) & (y < 300)
    np.testing.assert_array_equal(indices, np.flatnonzero(inside & (mask == 0)))
    assert "points selected" in plane.page.locator("[aria-live=polite]").inner_text()
    plane.run("map.setDimmed(null)")
    plane.drag((420, 300), (180, 90))
    np.testing.assert_array_equal(plane.events("select")[0], np.flatnonzero(inside))


def test_escape_gives_up_an_outline(plane: Map) -> None:
    before = plane.view
    plane.run("map.setMode('lasso')")
    plane.move(100, 100)
    plane.page.mouse.down()
    plane.page.mouse.move(LEFT + 300, TOP + 100, steps=4)
    plane.page.keyboard.press("Escape")
    plane.page.mouse.move(LEFT + 300, TOP + 300, steps=4)
    plane.page.mouse.up()
    assert plane.events("select") == [] and plane.events("pick") == []
    assert plane.view == before


def test_marks_are_where_their_points_are(plane: Map) -> None:
    plane.run("map.setPoints(new Float32Array([0, 0, 8, 4, 2, 2]), { glide: false })")

    def is_accent(place: list[float], reach: float) -> bool:
        x, y = plane.screen(place).round().astype(int)
        r = int(reach)
        square = plane.pixels()[y - r : y + r, x - r : x + r]
        return bool(((square[..., 0] > 0.9) & (square[..., 1] < 0.3)).any())

    assert not is_accent([2, 2], 14)
    plane.run("map.setMarks({ pinned: 2, neighbours: [0], places: [{ x: 4, y: 1, text: 'A' }] })")
    assert is_accent([2, 2], 14) and not is_accent([2, 2], 3)
    assert is_accent([4, 1], 5)
    x, y = plane.screen([0, 0]).round().astype(int)
    assert plane.pixels()[y - 12 : y + 12, x - 12 : x + 12].max(2).min() < 0.2
    plane.run("map.setMarks({}); map.setTrail([1, 3, 3, 3])")
    assert is_accent([2, 3], 3) and is_accent([3, 3], 3) and not is_accent([2, 2], 14)


def test_a_point_out_of_sight_is_revealed(plane: Map, points: np.ndarray) -> None:
    plane.run("map.view = { x: 0, y: 0, zoom: 8 }; await settled()")
    far = int(np.abs(points - [4, 2]).sum(1).argmin())
    x, y = plane.screen(points[far])
    assert not (0 < x < WIDTH and 0 < y < HEIGHT)
    plane.run("map.reveal(far); await settled()", far=far)
    np.testing.assert_allclose(plane.screen(points[far]), [WIDTH / 2, HEIGHT / 2], atol=1e-3)
    assert plane.view["zoom"] == pytest.approx(8)


def test_other_points_start_without_mask_colours_and_marks(plane: Map) -> None:
    plane.run("map.setDimmed(mask)", mask=np.full(2000, 2, np.uint8))
    plane.run("map.setMarks({ pinned: 1999 }); map.setPoints(new Float32Array([0, 0, 8, 4]))")
    x, y = plane.screen([8, 4])
    plane.move(x, y)
    assert plane.events("hover")[-1]["index"] == 1
    grey = plane.pixels()[int(y), int(x)]
    assert np.ptp(grey) < 0.02 and grey.max() < 0.8


def test_a_movable_ellipse_is_dragged_by_its_mean(plane: Map) -> None:
    plane.run("map.setEllipses([{ x: 0, y: 0, xx: 1, xy: 0, yy: 1, isMovable: true }])")
    x, y = plane.screen([0, 0])
    plane.drag((x, y), (x + 40, y + 30))
    moves = plane.events("move")
    assert moves[-1]["isDone"] and not moves[0]["isDone"] and moves[-1]["ellipse"] == 0
    np.testing.assert_allclose(plane.screen(moves[-1]["place"]), [x + 40, y + 30], atol=1e-3)
    assert plane.view["zoom"] == pytest.approx(1)


# Motion


@pytest.mark.parametrize("renderer", ["webgl", "canvas"])
def test_points_glide_to_their_new_places_and_colours(modules: Modules, renderer: str) -> None:
    positions = np.array([[0, 0], [4, 4], [0, 4], [4, 0]], np.float32)
    shown = Map(
        modules, positions, renderer=renderer, colours=np.array([RED, BLUE, BLUE, BLUE], np.uint8)
    )
    place = shown.screen([0, 0]).round().astype(int)
    red = shown.pixels()[place[1], place[0]]
    assert red[0] > 0.8 and red[2] < 0.3
    shown.run(
        """map.setColours(colours); map.setPoints(positions);
        await settled();""",
        positions=positions[::-1],
        colours=np.array([BLUE, BLUE, BLUE, RED], np.uint8),
    )
    pixels = shown.pixels()
    assert pixels[place[1], place[0], 0] > 0.8 and pixels[place[1], place[0], 2] < 0.3
    away = shown.screen([4, 0]).round().astype(int)
    assert pixels[away[1], away[0], 2] > 0.8 and pixels[away[1], away[0], 0] < 0.3
    shown.move(*place)
    assert shown.events("hover")[-1]["index"] == 3


def test_a_glide_takes_a_moment_unless_less_motion_is_asked_for(
    plane: Map, points: np.ndarray
) -> None:
    glide = """const start = map.toScreen([0, 0]); map.goTo({ x: 2, y: 1, zoom: 3 });
      const now = map.toScreen([0, 0]); await settled();
      const frames = events.view.splice(0).length;
      return { hasJumped: now[0] !== start[0], frames, view: map.view }"""
    result = plane.run(glide)
    assert not result["hasJumped"] and result["frames"] >= 3
    assert result["view"] == pytest.approx({"x": 2, "y": 1, "zoom": 3})
    plane.run("map.fit({ glide: false })")
    plane.page.emulate_media(reduced_motion="reduce")
    assert plane.run(glide)["hasJumped"]


def test_zoom_and_the_pinned_point_survive_other_axes(plane: Map, points: np.ndarray) -> None:
    plane.run("map.view = view; map.setMarks({ pinned: 5 })", view=_around(points[5], 4))
    before = plane.screen(points[5])
    other = points[:, ::-1] * [1, -2] + 7
    plane.run("map.setPoints(other); await settled()", other=other.astype(np.float32))
    assert plane.view["zoom"] == pytest.approx(4)
    np.testing.assert_allclose(plane.screen(other[5]), before, atol=0.01)


def _around(point: np.ndarray, zoom: float) -> dict[str, float]:
    return {"x": float(point[0]) + 0.1, "y": float(point[1]) - 0.1, "zoom": zoom}


def test_a_solid_view_turns_and_comes_back_flat(modules: Modules) -> None:
    positions = np.random.default_rng(8).normal(size=(500, 3))
    solid = Map(modules, positions)
    before = solid.view
    solid.drag((200, 200), (260, 230))
    after = solid.view
    assert after["turn"] == pytest.approx(before["turn"] + 60 * 0.008)
    assert after["tilt"] == pytest.approx(before["tilt"] - 30 * 0.008)
    x, y = solid.screen(positions[3])
    solid.move(x, y)
    index = solid.events("hover")[-1]["index"]
    np.testing.assert_allclose(solid.screen(positions[index]), [x, y], atol=1)
    solid.run("map.view = { ...map.view, zoom: 2 }; await settled()")
    flat = positions[:, :2].astype(np.float32)
    solid.run("map.setPoints(flat); await settled()", flat=flat)
    assert set(solid.view) == {"x", "y", "zoom"}
    assert solid.run("return map.toData(10, 10).length") == 2


# Keys


def test_keys_move_zoom_and_let_go(plane: Map) -> None:
    plane.page.keyboard.press("Tab")
    assert plane.run("return document.activeElement.getAttribute('aria-label')") == "Latent space"
    np.testing.assert_allclose(plane.pixels()[0, 300], [1, 0, 1], atol=0.05)  # the focus is seen
    middle = plane.run("return map.toData(300, 200)")
    plane.page.keyboard.press("ArrowRight")
    np.testing.assert_allclose(plane.screen(middle), [300 - 60, 200], atol=1e-3)
    plane.page.keyboard.press("+")
    assert plane.view["zoom"] == pytest.approx(1.5)
    plane.page.keyboard.press("-")
    assert plane.view["zoom"] == pytest.approx(1)
    plane.page.keyboard.press("0")
    plane.run("await settled()")
    np.testing.assert_allclose(plane.screen(middle), [300, 200], atol=1e-3)
    plane.page.keyboard.press("Escape")
    assert plane.events("pick") == [None]


def test_keys_go_from_the_pinned_point_to_the_next(plane: Map, points: np.ndarray) -> None:
    plane.page.keyboard.press("Tab")
    plane.page.keyboard.press("Enter")
    (hit,) = plane.events("pick")
    middle = plane.run("return map.toData(300, 200)")
    assert hit["index"] == np.linalg.norm(points - middle, axis=1).argmin()
    plane.run("map.setMarks({ pinned })", pinned=hit["index"])
    before = plane.screen(points[hit["index"]])
    plane.page.keyboard.press("ArrowUp")
    (hit,) = plane.events("pick")
    step = plane.screen(points[hit["index"]]) - before
    assert hit["by"] == "keyboard"
    assert -40 < step[1] <= -6 and abs(step[0]) <= -step[1]


# Fingers


def _swipe(page: Page, *tracks: list[tuple[float, float]]) -> None:
    """Move one finger along each track, places in the map."""
    client = page.context.new_cdp_session(page)

    def fingers(step: int) -> list[dict[str, float]]:
        return [
            {"x": LEFT + track[step][0], "y": TOP + track[step][1], "id": number}
            for number, track in enumerate(tracks)
        ]

    for down in range(1, len(tracks)):  # fingers never come down at once
        first = {"type": "touchStart", "touchPoints": fingers(0)[:down]}
        client.send("Input.dispatchTouchEvent", first)
    for step in range(len(tracks[0])):
        kind = "touchMove" if step else "touchStart"
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers(step)})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def _line(start: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float]]:
    return [tuple(place) for place in np.linspace(start, end, 12)]


def test_one_finger_scrolls_the_page_until_a_tap_has_woken_the_map(
    phone: Callable[[np.ndarray], Map], points: np.ndarray
) -> None:
    shown = phone(points)
    before = shown.view
    swipe = _line((300, 350), (300, 150))
    _swipe(shown.page, swipe)
    shown.page.wait_for_function("scrollY > 50")
    assert shown.view == before
    assert shown.events("pick") == []
    shown.page.wait_for_function("document.querySelector('.notice').textContent.includes('Tap')")

    # A swipe's momentum goes on for a while.
    shown.run(
        """for (let still = 0; still < 20; still = scrollY === 0 ? still + 1 : 0) {
          scrollTo(0, 0); await painted();
        }"""
    )
    x, y = shown.screen(points[11])
    shown.page.touchscreen.tap(LEFT + x, TOP + y)
    (hit,) = shown.events("pick")
    assert hit["index"] >= 0
    held = shown.run("return map.toData(300, 350)")
    _swipe(shown.page, swipe)
    np.testing.assert_allclose(shown.screen(held), [300, 150], atol=1)
    assert shown.run("return scrollY") == 0

    shown.page.touchscreen.tap(5, 500)  # beside the map: it sleeps again
    before = shown.view
    _swipe(shown.page, swipe)
    shown.page.wait_for_function("scrollY > 50")
    assert shown.view == before


def test_two_fingers_always_pinch_and_pan(
    phone: Callable[[np.ndarray], Map], points: np.ndarray
) -> None:
    shown = phone(points)
    held = shown.run("return map.toData(300, 200)")
    _swipe(shown.page, _line((260, 200), (200, 200)), _line((340, 200), (400, 200)))
    assert shown.view["zoom"] == pytest.approx(200 / 80, rel=0.02)
    np.testing.assert_allclose(shown.screen(held), [300, 200], atol=3)
    assert shown.run("return scrollY") == 0
    assert shown.run("return visualViewport.scale") == 1
    assert shown.events("pick") == []
    held = shown.run("return map.toData(300, 300)")
    _swipe(shown.page, _line((260, 350), (260, 150)), _line((340, 350), (340, 150)))
    np.testing.assert_allclose(shown.screen(held), [300, 100], atol=3)
    assert shown.run("return scrollY") == 0


def test_a_tap_wakes_a_map_in_a_closed_shadow_root(
    phone: Callable[[np.ndarray], Map], points: np.ndarray
) -> None:
    shown = phone(points)
    shown.run(
        """const root = document.getElementById("map").attachShadow({ mode: "closed" });
        const { createMap } = await import("/map/map.js");
        const inner = document.createElement("div");
        inner.style.height = "400px";
        root.append(inner);
        map.destroy();
        window.map = createMap(inner, { label: "Latent space" });
        map.setPoints(points, { glide: false });
        await painted();""",
        points=points.astype(np.float32),
    )
    shown.page.touchscreen.tap(LEFT + 300, TOP + 200)
    held = shown.run("return map.toData(300, 350)")
    _swipe(shown.page, _line((300, 350), (300, 250)))
    np.testing.assert_allclose(shown.screen(held), [300, 250], atol=1)


# What the browser does to it


def test_a_lost_context_comes_back(modules: Modules) -> None:
    positions = np.array([[0, 0], [4, 4]])
    shown = Map(modules, positions, renderer="webgl", colours=np.array([RED, RED], np.uint8))
    x, y = shown.screen([4, 4]).round().astype(int)
    assert shown.pixels()[y, x, 1] < 0.3
    shown.run(
        """const gl = document.querySelector(".points").getContext("webgl2");
        window.loss = gl.getExtension("WEBGL_lose_context"); loss.loseContext();"""
    )
    shown.page.wait_for_function("document.querySelector('.notice').textContent !== ''")
    assert shown.pixels()[y, x, 1] > 0.9
    shown.run("map.setPoints(other, { glide: false })", other=positions[::-1].astype(np.float32))
    shown.run("loss.restoreContext()")
    shown.page.wait_for_function("document.querySelector('.notice').textContent === ''")
    assert shown.pixels()[y, x, 1] < 0.3


def test_without_webgl_a_canvas_shows_fewer_points_and_says_so(modules: Modules) -> None:
    modules.page.add_init_script(
        """const get = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
          return kind.startsWith("webgl") ? null : get.call(this, kind, ...rest);
        };"""
    )
    positions = np.random.default_rng(9).normal(size=(120_000, 2))
    shown = Map(modules, positions, renderer=None)
    assert "60000 of 120000 points" in shown.page.locator(".notice").inner_text()
    assert (shown.pixels() < 0.9).any()
    x, y = shown.screen(positions[100])
    shown.move(x, y)
    assert shown.events("hover")[-1]["index"] % 2 == 0
    few = np.random.default_rng(9).normal(size=(20, 2)).astype(np.float32)
    shown.run("map.setPoints(few); map.setColours(new Uint8Array(80).fill(200))", few=few)
    assert shown.page.locator(".notice").inner_text() == ""


@pytest.mark.parametrize("renderer", ["webgl", "canvas"])
def test_both_renderers_draw_the_same(
    modules: Modules, points: np.ndarray, renderer: str, request: pytest.FixtureRequest
) -> None:
    colours = np.tile(np.array([RED, BLUE], np.uint8), (1000, 1))
    shown = Map(modules, points, renderer=renderer, colours=colours)
    picture = shown.pixels()
    known = request.session.stash.setdefault(_PICTURES, {})
    known[renderer] = picture
    ink = (1 - picture).sum((0, 1))
    assert ink[1] > 1000
    if len(known) == 2:
        np.testing.assert_allclose(
            (1 - known["webgl"]).sum((0, 1)), (1 - known["canvas"]).sum((0, 1)), rtol=0.05
        )
        assert np.abs(known["webgl"] - known["canvas"]).mean() < 0.01


_PICTURES: pytest.StashKey[dict[str, np.ndarray]] = pytest.StashKey()


@pytest.mark.parametrize("renderer", ["webgl", "canvas"])
def test_dimmed_points_are_faint_and_hidden_ones_are_not_there(
    modules: Modules, renderer: str
) -> None:
    positions = np.array([[0, 0], [4, 0], [8, 0]])
    colours = np.array([RED, RED, RED], np.uint8)
    shown = Map(modules, positions, renderer=renderer, colours=colours)
    shown.page.emulate_media(reduced_motion="reduce")
    shown.run("map.setDimmed(Uint8Array.of(0, 1, 2))")
    pixels = shown.pixels()
    clear, faint, none = (
        pixels[int(y), int(x)] for x, y in (shown.screen(place) for place in positions)
    )
    assert clear[0] > 0.9 and clear[1] < 0.3
    assert 0.8 < faint.min() < 0.99
    np.testing.assert_allclose(none, 1)


def test_a_resized_map_keeps_its_view(plane: Map) -> None:
    plane.run("map.view = { x: 1, y: -1, zoom: 2 }; await settled()")
    plane.run("element.style.width = '300px'; await settled()")
    assert plane.view == pytest.approx({"x": 1, "y": -1, "zoom": 2})
    np.testing.assert_allclose(plane.screen([1, -1]), [150, 200], atol=1e-3)
    sizes = plane.run("return [...element.querySelectorAll('canvas')].map((c) => c.width)")
    assert sizes == [300, 300, 300]


def test_it_is_sharp_on_dense_screens(chromium: Browser, points: np.ndarray) -> None:
    context = chromium.new_context(device_scale_factor=2)
    shown = Map(Modules(context.new_page()), points)
    assert shown.run("return element.querySelector('.touched').width") == 2 * WIDTH
    context.close()


def test_another_theme_is_followed_at_once(plane: Map) -> None:
    plane.run("map.setPoints(new Float32Array(0)); map.setLabels([{ x: 0, y: 0, text: 'MMM' }])")
    x, y = plane.screen([0, 0]).round().astype(int)
    around = np.s_[y - 12 : y + 12, x - 30 : x + 30]
    assert plane.pixels()[around].min() < 0.1
    plane.run("document.documentElement.style.setProperty('--ink', 'rgb(0, 255, 0)')")
    plane.page.wait_for_function(
        "getComputedStyle(document.querySelector('.touched')).color === 'rgb(0, 255, 0)'"
    )
    plane.run("await new Promise((resolve) => setTimeout(resolve, 50))")
    pixels = plane.pixels()[around]
    assert ((pixels[..., 1] > 0.9) & (pixels[..., 0] < 0.3)).any()


def test_images_lie_behind_the_points_where_they_belong(plane: Map) -> None:
    plane.run(
        """const image = new OffscreenCanvas(2, 2); const context = image.getContext("2d");
        context.fillStyle = "lime"; context.fillRect(0, 0, 2, 2);
        map.setPoints(new Float32Array([0, 0, 8, 4]), { glide: false });
        map.setBackdrop([{ image, left: 2, right: 4, bottom: 1, top: 3 }]); await settled();"""
    )
    pixels = plane.pixels()
    is_lime = (pixels[..., 1] > 0.95) & (pixels[..., 0] < 0.05)
    rows, columns = np.nonzero(is_lime)
    (left, top), (right, bottom) = plane.screen([2, 3]), plane.screen([4, 1])
    np.testing.assert_allclose([columns.min(), columns.max() + 1], [left, right], atol=1)
    np.testing.assert_allclose([rows.min(), rows.max() + 1], [top, bottom], atol=1)
    plane.run("map.setBackdrop([])")
    assert not (plane.pixels()[..., 0] < 0.05).any()


def test_a_destroyed_map_leaves_nothing_behind(plane: Map) -> None:
    client = plane.page.context.new_cdp_session(plane.page)

    def listeners(expression: str) -> int:
        handle = client.send("Runtime.evaluate", {"expression": expression})["result"]["objectId"]
        return len(client.send("DOMDebugger.getEventListeners", {"objectId": handle})["listeners"])

    plane.run("window.touched = element.querySelector('.touched')")
    assert listeners("document") > 0 and listeners("touched") > 10
    plane.run("map.goTo({ zoom: 3 }); map.destroy(); await painted()")
    assert listeners("document") == 0 and listeners("touched") == 0
    assert plane.run("return element.childNodes.length") == 0


def test_what_is_named_stays_text(plane: Map) -> None:
    name = "<img src=x onerror='window.broken = 1'>"
    plane.run(
        """map.setLabels([{ x: 0, y: 0, text: name }]); map.say(name);
        map.setEllipses([{ x: 0, y: 0, xx: 1, xy: 0, yy: 1, label: name }]);
        map.setMarks({ places: [{ x: 1, y: 1, text: name }] }); await painted();""",
        name=name,
    )
    assert plane.page.locator("img").count() == 0
    assert plane.page.locator("[aria-live=polite]").inner_text() == name
    assert plane.run("return window.broken ?? null") is None


@pytest.mark.parametrize("n", [0, 1, 20])
@pytest.mark.parametrize("renderer", ["webgl", "canvas"])
def test_few_or_equal_points_have_a_map_too(modules: Modules, n: int, renderer: str) -> None:
    shown = Map(modules, np.ones((n, 2)), renderer=renderer)
    shown.move(WIDTH / 2, HEIGHT / 2)
    hit = shown.events("hover")[-1]
    assert (hit["index"] >= 0) == (n > 0)
    shown.run("map.setPoints(solid, { dimension: 3 })", solid=np.ones((n, 3), np.float32))
    shown.run("map.fit(); await settled()")
    assert np.isfinite(list(shown.view.values())).all()


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("map.setPoints(new Float32Array(5))", "rows of 2; got 5"),
        ("map.setPoints(Float32Array.of(1, NaN))", "finite; got NaN in row 0"),
        ("map.setPoints(new Float32Array(4), { dimension: 4 })", "must be 2 or 3; got dimension=4"),
        ("map.setColours(new Uint8Array(3))", "RGBA of 2000 points; got 3"),
        ("map.setDimmed(new Uint8Array(3))", "2000 entries; got 3"),
        ("map.setMode('knife')", "got knife"),
    ],
)
def test_wrong_input_is_refused_in_a_sentence(plane: Map, code: str, sentence: str) -> None:
    said = plane.run(f"try {{ {code}; return ''; }} catch (error) {{ return error.message; }}")
    assert sentence in said
