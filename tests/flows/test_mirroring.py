"""The registry in an MLflow store: all of it, once, and again as it is when something moves there or here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import mirrored
import pytest
from mirrored import STARTED, aliases, artifacts, history, promoted, registered, run_of
from typer.testing import CliRunner

from data.errors import ConfigError, TextmillError
from data.lake import Lake
from flows.cli import app
from flows.mirroring import runs
from flows.mirroring import store as stores
from flows.mirroring.mirror import Told, Wanted, mirror
from flows.mirroring.store import MirrorError, check, opened
from models.registry import Registry, RegistryError


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def brought(lake: Lake, store: str, *names: str, **options: Any) -> Told:
    return mirror(lake, store, Wanted(names, **options))[0]


def test_everything_of_a_version_is_there(lake: Lake, store: str) -> None:
    promoted(lake, registered(lake), alias="candidate")
    told = brought(lake, store)
    run = run_of(store)
    assert (told.added, told.moved, aliases(store)) == (["v000001"], {"candidate": "v000001"}, {"candidate": "v000001"})
    assert run.data.params["model.width"] == "8"
    assert run.data.tags["textmill.lineage.tokens"] == "v1"
    assert run.data.metrics["score/loss_ci_high"] == 2.5
    assert [(one.dataset.name, one.dataset.digest) for one in run.inputs.dataset_inputs] == [("tokens", "v1")]
    assert (run.info.run_name, run.info.status) == ("v000001 mood", "FINISHED")
    assert (run.info.start_time, run.info.end_time) == (STARTED, STARTED + 6000)
    assert history(store, run, "validation/loss") == [(2, 2.5, 4000), (3, 2.0, 6000)]
    assert set(artifacts(run)) == {"card.md", "config.json", "model.json", "report.html"}


def test_a_second_mirror_changes_nothing(lake: Lake, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    promoted(lake, registered(lake), reason="good", gain=0.1)
    registered(lake, name="other")
    mirror(lake, store, Wanted())
    before = mirrored.content(store)
    monkeypatch.setattr(runs, "written", None)
    again = mirror(lake, store, Wanted())
    assert mirrored.content(store) == before
    assert [(one.model, one.versions, one.added, one.moved) for one in again] == [
        ("mood", 1, [], {}),
        ("other", 1, [], {}),
    ]


def test_an_alias_that_moved_moves_and_one_that_was_rolled_back_moves_back(lake: Lake, store: str) -> None:
    promoted(lake, registered(lake))
    brought(lake, store)
    promoted(lake, registered(lake, seed=1), gain=0.3, reason="gain +0.3")
    assert brought(lake, store).moved == {"champion": "v000002"}
    assert run_of(store, "v000002").data.metrics["score/gate_gain"] == 0.3
    Registry(lake.models).rollback("mood", "champion", mirrored.WHEN)
    assert brought(lake, store).moved == {"champion": "v000001"}
    assert aliases(store) == {"champion": "v000001"}
    assert "rollback champion: v000002 → v000001" in opened(store).client.get_registered_model("mood").description


def test_evidence_that_comes_later_is_added_to_the_run(lake: Lake, store: str) -> None:
    version = registered(lake)
    brought(lake, store)
    promoted(lake, version, gain=0.3)
    brought(lake, store)
    assert run_of(store).data.metrics["score/gate_gain"] == 0.3


def test_what_people_change_in_mlflow_is_put_back(lake: Lake, store: str) -> None:
    promoted(lake, registered(lake))
    registered(lake, seed=1)
    brought(lake, store)
    client = opened(store).client
    client.set_registered_model_alias("mood", "champion", "2")
    client.set_registered_model_alias("mood", "favourite", "2")
    assert brought(lake, store).moved == {"champion": "v000001"}
    assert aliases(store) == {"champion": "v000001", "favourite": "v000002"}


def test_what_people_delete_in_mlflow_comes_back(lake: Lake, store: str) -> None:
    promoted(lake, registered(lake))
    brought(lake, store)
    client = opened(store).client
    client.delete_run(run_of(store).info.run_id)
    client.delete_model_version("mood", "1")
    client.delete_experiment(client.get_experiment_by_name("mood").experiment_id)
    assert brought(lake, store).added == ["v000001"]
    assert aliases(store) == {"champion": "v000001"}
    assert run_of(store).info.lifecycle_stage == "active"


def test_a_version_that_left_the_registry_is_marked_and_then_deleted(lake: Lake, store: str) -> None:
    promoted(lake, registered(lake))
    registered(lake, seed=1)
    brought(lake, store)
    run = run_of(store)
    shutil.rmtree(lake.models / "mood" / "v000001")
    told = brought(lake, store)
    assert (told.gone, told.moved, aliases(store)) == (["v000001"], {"champion": "none"}, {})
    client = opened(store).client
    assert client.get_model_version("mood", "1").tags["textmill.state"] == "no longer in the registry"
    assert (told := brought(lake, store)).gone == [] == list(told.moved)
    assert brought(lake, store, prune=True).gone == ["v000001"]
    assert [one.version for one in client.search_model_versions("name = 'mood'")] in ([2], ["2"])
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"


def test_a_model_that_left_the_registry_can_be_pruned_by_name(lake: Lake, store: str) -> None:
    registered(lake)
    brought(lake, store)
    shutil.rmtree(lake.models / "mood")
    with pytest.raises(RegistryError, match="no model 'mood'"):
        brought(lake, store, "mood")
    assert brought(lake, store, "mood", prune=True).gone == ["v000001"]


def test_weights_go_along_only_where_asked_for(lake: Lake, store: str) -> None:
    registered(lake, seed=7)
    brought(lake, store)
    assert "model/model.safetensors" not in artifacts(run_of(store))
    brought(lake, store, weights=True)
    found = artifacts(run_of(store))
    assert found["model/model.safetensors"] == b"\x07"
    before = mirrored.content(store)
    brought(lake, store)
    brought(lake, store, weights=True)
    assert mirrored.content(store) == before


def test_a_mirror_that_was_interrupted_is_completed(lake: Lake, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow import MlflowClient

    registered(lake)

    def full(*words: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(MlflowClient, "log_artifact", full)
        with pytest.raises(MirrorError, match="No space left"):
            brought(lake, store)
    brought(lake, store)
    client = opened(store).client
    assert len(client.search_runs([client.get_experiment_by_name("mood").experiment_id])) == 1
    run = run_of(store)
    assert [step for step, _, _ in history(store, run, "train/loss")] == [1, 2, 3]
    assert "card.md" in artifacts(run)


def test_a_damaged_file_is_not_brought(lake: Lake, store: str) -> None:
    registered(lake)
    (lake.models / "mood" / "v000001" / "card.md").write_text("another")
    with pytest.raises(RegistryError, match=r"card\.md is damaged"):
        brought(lake, store)


def test_models_of_others_are_left_alone(lake: Lake, store: str) -> None:
    opened(store).client.create_registered_model("mood")
    registered(lake)
    with pytest.raises(MirrorError, match="none of textmill's; choose a --prefix"):
        brought(lake, store)
    brought(lake, store, prefix="nlp-")
    assert run_of(store, name="nlp-mood").data.tags["textmill.model"] == "mood"


def test_two_lakes_in_one_store_take_a_prefix(tmp_path: Path, store: str) -> None:
    lakes = [Lake(tmp_path / name / "lake") for name in ("one", "two")]
    for seed, lake in enumerate(lakes):
        registered(lake, seed=seed)
    brought(lakes[0], store)
    with pytest.raises(MirrorError, match="another mood v000001, of another lake"):
        brought(lakes[1], store)
    assert brought(lakes[1], store, prefix="two-").added == ["v000001"]


@pytest.mark.parametrize(
    "address", ["mlruns", "file:///srv/mlruns", "sqlite://", "sqlite:///", "http://", "databricks", "u:geheim@host"]
)
def test_an_address_that_names_no_store_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="names no store; write http://HOST:5000"):
        check(address)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'textmill\[mlflow\]'"):
        check("sqlite:///x.db")


def test_prefix_is_part_of_a_name() -> None:
    with pytest.raises(ConfigError, match="--prefix a'b"):
        Wanted(prefix="a'b")


def test_a_database_that_is_none_is_one_line(tmp_path: Path, lake: Lake) -> None:
    registered(lake)
    (tmp_path / "text.db").write_text("no database at all, but long enough to be read as the head of one " * 20)
    with pytest.raises(MirrorError, match=r"did not do as asked: .*not a database"):
        brought(lake, f"sqlite:///{tmp_path / 'text.db'}")


def nowhere() -> str:
    """An address where nobody listens, with a password."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://anna:geheim@127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_down_is_told_without_the_password(lake: Lake) -> None:
    registered(lake)
    with pytest.raises(MirrorError, match=r"http://…@127\.0\.0\.1:\d+ did not do as asked: nobody answers$") as raised:
        brought(lake, nowhere())
    assert "geheim" not in str(raised.value)
    assert (raised.value.__cause__, raised.value.__suppress_context__) == (None, True)


def command(*words: str) -> Any:
    return CliRunner().invoke(app, ["models", *words])


def test_the_command_tells_what_it_did(lake: Lake, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    promoted(lake, registered(lake))
    monkeypatch.setenv("TEXTMILL_LAKE", str(lake.root))
    done = command("mirror", "--mlflow", store)
    assert "champion → v000001" in done.stdout
    monkeypatch.setenv("TEXTMILL_MLFLOW", store)
    assert "has all of it already" in command("mirror", "mood").stdout
    assert json.loads(command("mirror", "--json").stdout) == [
        {"model": "mood", "versions": 1, "added": [], "moved": {}, "gone": []}
    ]


def test_a_command_without_a_store_says_how_to_name_one(lake: Lake) -> None:
    assert "name the store: --mlflow" in str(command("mirror", "--lake", str(lake.root)).exception)


def test_promotion_and_rollback_are_followed_where_the_setting_says_so(
    lake: Lake, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTMILL_MLFLOW", store)
    for seed in (0, 1):
        version = registered(lake, seed=seed)
        done = command("promote", "mood", version, "--because", "it is", "--lake", str(lake.root))
        assert done.exit_code == 0, done.output
        assert aliases(store) == {"champion": version}
    command("rollback", "mood", "--lake", str(lake.root))
    assert aliases(store) == {"champion": "v000001"}


@pytest.mark.usefixtures("impatient")
def test_a_promotion_is_not_stopped_by_a_store_that_is_down(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTMILL_MLFLOW", nowhere())
    done = command("promote", "mood", registered(lake), "--because", "it is", "--lake", str(lake.root))
    assert (done.exit_code, Registry(lake.models).alias("mood")) == (0, "v000001")
    assert done.stderr.count("textmill: MLflow misses this, `textmill models mirror` brings it later") == 1
    assert "geheim" not in done.output


def test_errors_of_our_own_pass_as_they_are(lake: Lake, store: str) -> None:
    registered(lake)
    with pytest.raises(TextmillError, match="no model 'moood'"):
        brought(lake, store, "moood")
