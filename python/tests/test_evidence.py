"""`npm run evidence` at a tiny size: the whole experiment, killed in the middle, gone on with, and judged again."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from conftest import ROOT

torch = pytest.importorskip("torch")

ARMS = ["none", "random", "reference", "nemo"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Starts the experiment in a folder of this module; returns (start, folder)."""
    built = ROOT / "dist" / "cli" / "main.js"
    if not built.exists():
        pytest.skip("did not run: there is no build (npm run build)")
    out = tmp_path_factory.mktemp("evidence") / "out"

    def start(*words):
        environment = {**os.environ, "NEMOSAIC_PYTHON": sys.executable, "XDG_RUNTIME_DIR": str(tmp_path_factory.mktemp("run"))}
        words = ["node", str(ROOT / "evidence" / "run.mjs"), "--smoke", "--out", str(out), "--device", "cpu", *words]
        return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start, out


def finished(process):
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    return output


def test_a_killed_experiment_goes_on_and_leaves_no_run_behind(run):
    start, out = run
    process = start()
    while not list(out.glob("runs/*/checkpoint.pt")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for _ in range(200):
        if not processes_in(out):
            break
        time.sleep(0.05)
    assert processes_in(out) == []
    finished(start())
    results = json.loads((out / "results.json").read_text())
    assert sorted(each["arm"] for each in results["runs"]) == sorted(ARMS)
    assert {each["steps"] for each in results["runs"]} == {6}
    assert len({each["samples"] for each in results["runs"]}) == 1
    assert [each["arm"] for each in results["gains"]] == ARMS[1:]


def processes_in(folder):
    """Processes whose working directory is the experiment's (its children run there)."""
    found = []
    for number in os.listdir("/proc"):
        try:
            if number.isdigit() and os.readlink(f"/proc/{number}/cwd") == str(folder):
                found.append(int(number))
        except OSError:
            continue
    return found


def test_gains_are_differences_of_scores_and_sets_share_all_expressions(run):
    _, out = run
    results = json.loads((out / "results.json").read_text())
    scores = {each["arm"]: each for each in results["runs"]}
    for gain in results["gains"]:
        for metric in ("oIoU", "mIoU"):
            difference = scores[gain["arm"]]["metrics"][metric][0] - scores["none"]["metrics"][metric][0]
            value, low, high = gain["together"]["gains"][metric]
            assert value == pytest.approx(difference, abs=0.011)
            assert low <= value + 0.011 and value - 0.011 <= high
            assert gain["bySeed"][0]["gains"][metric] == [value, low, high]
        for by in ("kind", "similar"):
            counted = [each["samples"] for each in gain["together"]["sets"] if each["by"] == by]
            assert sum(counted) == gain["together"]["samples"] == scores["none"]["samples"]


def test_what_the_arms_draw_is_counted(run):
    _, out = run
    drawn = {each["arm"]: each for each in json.loads((out / "results.json").read_text())["drawn"]}
    assert drawn["none"]["mosaics"] == 0 and all(drawn[arm]["mosaics"] > 0 for arm in ARMS[1:])
    # Placement by words is what our arm has and the others lack.
    assert drawn["nemo"]["moved"] == 0 < drawn["random"]["moved"]


def test_every_rule_is_counted_and_only_true_shares_come_out(run):
    _, out = run
    found = json.loads((out / "false-negatives.json").read_text())
    rules = {point["rule"] for point in found["points"]}
    assert rules == {"no filter", "reference", "absolute τ", "ratio", "margin", "text filter", "ratio and text", "τ and text"}
    assert {each["name"] for each in found["presets"]} == {"random", "nemo-reference", "nemo"}
    for point in found["points"] + found["presets"]:
        assert point["negatives"] == 3 * point["mosaics"]
        assert point["risk"] == pytest.approx(point["falseNegatives"] / max(1, point["negatives"]), abs=1e-5)
    unfiltered = {point["k"]: point["meanRank"] for point in found["points"] if point["rule"] == "no filter"}
    ranks = [unfiltered[k] for k in sorted(unfiltered)]
    assert ranks == sorted(ranks) and ranks[0] < ranks[-1]


def test_the_page_and_its_plots_come_from_the_results(run):
    _, out = run
    page = (out / "docs" / "evidence" / "tables.md").read_text()
    results = json.loads((out / "docs" / "evidence" / "results.json").read_text())
    assert results == json.loads((out / "results.json").read_text())
    rows = [line for line in page.splitlines() if line.startswith("| NeMo (ours) |")]
    nemo = next(each for each in results["runs"] if each["arm"] == "nemo")
    assert f"{nemo['metrics']['oIoU'][0]:.2f} / {nemo['metrics']['mIoU'][0]:.2f}" in "".join(rows)
    for image in re.findall(r"\]\(([\w-]+\.svg)\)", page):
        assert (out / "docs" / "evidence" / image).read_text().startswith("<svg "), image
    for svg in ("gain-by-similar.svg", "false-negatives.svg"):
        text = (out / "docs" / "evidence" / svg).read_text()
        assert "NaN" not in text and "Infinity" not in text


def test_arms_with_false_sentences_are_tested_on_false_sentences_and_on_several_targets(run):
    start, out = run
    finished(start("--arms", "n-both"))
    results = json.loads((out / "results-negatives-scenes.json").read_text())
    written = json.loads((out / "false-scenes" / "grefs(false).json").read_text())
    told = {"true": 0, "edited": 0, "noun": 0, "mined": 0}
    for ref in written:
        kind = list(told)[min(3, ref["ref_id"] // 1_000_000)]
        told[kind] += len(ref["sentences"])
        assert ref["no_target"] == (kind != "true") == (ref["ann_id"] == [-1])
    assert told == {name: results["falseCounts"][name] for name in told} and min(told.values()) > 0
    assert results["falseCounts"]["trueAfterAll"] <= 1
    false, general = results["tests"]
    assert [each["arm"] for each in false["runs"]] == [each["arm"] for each in general["runs"]] == ["none", "n-both"]
    for each in false["runs"]:
        assert {one["label"]: one["samples"] for one in each["sets"]} == told
        assert each["samples"] == sum(told.values())
        wrong = sum(one["samples"] * (100 - one["metrics"]["N-acc"][0]) for one in each["sets"] if one["label"] != "true")
        assert each["metrics"]["N-acc"][0] == pytest.approx(100 - wrong / (sum(told.values()) - told["true"]), abs=0.02)
    for test in (false, general):
        for each in test["atEqualTAcc"]["runs"]:
            # As few true sentences are called false as that share allows, and no fewer than equal sizes make it.
            assert each["metrics"]["T-acc"][0] >= 95
    page = (out / "docs" / "evidence" / "negatives.md").read_text()
    assert "### On false sentences" in page and "### On several targets and none" in page
    assert [line for line in page.splitlines() if len(line) > 120 and line[0] != "|"] == []
    settings = json.loads((out / "runs-negatives-scenes" / "n-both-0" / "nemosaic.json").read_text())
    assert settings["gres"]["negativeSource"] == "mined+edited"
    # A fifth of the samples, however many sentences can be made false.
    assert 0.2 <= settings["gres"]["negativeSentence"] <= 1
    drawn = {each["name"]: each["drawn"] for each in results["arms"]}
    assert drawn["none"] == 0 and drawn["n-both"] == pytest.approx(0.2, abs=0.12)


def test_a_record_says_of_each_sentence_what_the_run_came_to(run):
    _, out = run
    for scored in json.loads((out / "results.json").read_text())["runs"]:
        found = json.loads((out / "runs" / f"{scored['arm']}-{scored['seed']}" / "result.json").read_text())
        (told,) = [each for each in found["scores"] if each["name"] == "test"]  # by the trainer's own evaluator
        assert scored["metrics"]["mIoU"][0] == pytest.approx(told["mIoU"], abs=0.011)
        assert scored["metrics"]["oIoU"][0] == pytest.approx(told["oIoU"], abs=0.011)


def test_recorded_runs_of_another_machine_count_and_are_not_trained_again(run, tmp_path):
    start, out = run
    before = json.loads((out / "results.json").read_text())
    records, runs = out / "docs" / "evidence" / "runs", out / "runs"
    assert sorted(path.stem for path in (records / "scenes").iterdir()) == sorted(f"{arm}-0" for arm in ARMS)
    shutil.copytree(records, tmp_path / "records")
    shutil.rmtree(out / "records")
    runs.rename(tmp_path / "runs")
    try:
        finished(start("--with", str(tmp_path / "records")))
        assert not runs.exists()
        after = json.loads((out / "results.json").read_text())
        assert [after[name] for name in ("runs", "gains", "pairs")] == [before[name] for name in ("runs", "gains", "pairs")]
        # Of another size, a record does not add up.
        changed = json.loads((out / "records" / "scenes" / "nemo-0.json").read_text())
        (out / "records" / "scenes" / "nemo-0.json").write_text(json.dumps({**changed, "steps": 7}))
        process = start()
        _, errors = process.communicate()
        assert process.returncode == 1 and "expected steps 6, got 7; leave this record out" in errors
        (out / "records" / "scenes" / "nemo-0.json").write_text(json.dumps(changed))
    finally:
        (tmp_path / "runs").rename(runs)
    process = start("--with", str(tmp_path))
    _, errors = process.communicate()
    assert process.returncode == 1 and "which has no such folder" in errors


def test_done_work_is_left_alone_and_another_experiment_refused(run):
    start, out = run
    before = {path: path.stat().st_mtime_ns for path in out.glob("runs/*/result.json")}
    finished(start())
    assert {path: path.stat().st_mtime_ns for path in out.glob("runs/*/result.json")} == before
    process = start("--model", "other")
    _, errors = process.communicate()
    assert process.returncode == 1 and "another size, model or device" in errors
