"""Jobs and sweeps on a Ray cluster of two machines: the same results as here, also when a machine is lost."""

import os
import sys
import threading

import pytest
from trials import RECIPE, TINY
from work import die_at, parts, read_shard_slowly

from inksight import InksightError, InputError
from inksight._shared.ray_workers import cluster_cores
from inksight._shared.tasks import Processes, WorkerDied, outcomes, start_workers
from inksight.cli import run
from inksight.experiments.search import sweep
from inksight.experiments.trial import grid
from inksight.scale import read_in_shards

ray = pytest.importorskip("ray", reason="Ray is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # of Ray, about its own use of Python


@pytest.fixture(scope="module")
def cluster():
    """A cluster of two machines with one core each, to which this process is connected."""
    from ray.cluster_utils import Cluster

    path = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)  # so that its processes find the modules of the tests
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    ray.init(cluster.address, log_to_driver=False, logging_level="ERROR")
    yield cluster
    ray.shutdown()
    cluster.shutdown()
    if path is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = path


@pytest.fixture(scope="module")
def whole(array_file, tmp_path_factory):
    """The folder of a job on this machine."""
    out = tmp_path_factory.mktemp("whole")
    read_in_shards(array_file, out, model="tiny", shards=8, workers=1, progress=False)
    return out


def test_tasks_on_a_cluster(cluster):
    assert cluster_cores(None) == 2
    workers = start_workers(Processes(2, engine="ray"), die_at, -1)
    found = [(task, future.result()) for task, future in outcomes(workers, range(20), ordered=True, ahead=2)]
    assert found == [(task, task**2) for task in range(20)]
    workers = start_workers(Processes(1, engine="ray"), die_at, "no number")
    ((_, future),) = outcomes(workers, [1])
    with pytest.raises(InputError, match=r"^not a number: 'no number'$"):
        future.result()


def test_a_task_that_kills_its_processes_is_one_error(cluster, monkeypatch):
    monkeypatch.setattr("inksight._shared.ray_workers.RETRIES", 1)
    workers = start_workers(Processes(2, engine="ray"), die_at, 1)
    found = dict(outcomes(workers, range(3)))
    with pytest.raises(WorkerDied, match=r"^was lost in each of 2 attempts \(WorkerCrashedError\)$"):
        found.pop(1).result()
    assert {task: future.result() for task, future in found.items()} == {0: 0, 2: 4}


def test_a_sweep_on_a_cluster_trains_the_same_weights(cluster, few, tmp_path):
    trials = grid([TINY], RECIPE, {}, seeds=[0, 1])
    here = sweep(few, trials, tmp_path / "here", workers=1, progress=False)
    there = sweep(few, trials, tmp_path / "there", engine="ray", progress=False)
    assert [result.weights for result in there.results] == [result.weights for result in here.results]
    assert [result.trial for result in there.results] == trials
    assert {path.name for path in (tmp_path / "there").iterdir()} == {f"{trial.id}.json" for trial in trials}
    again = sweep(few, trials, tmp_path / "here", engine="ray", progress=False)
    assert again == here


def test_the_command_on_a_cluster_writes_the_same_files(cluster, array_file, whole, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # which is not the folder that the machines of the cluster started in
    command = ["read", str(array_file), "--model", "tiny", "--shards", "8", "--engine", "ray", "--out", "out"]
    assert run(command) == 0
    assert capsys.readouterr().out == "out: 2,000 rows in 8 of 8 shards\n"
    assert parts(tmp_path / "out") == parts(whole)


def test_a_lost_machine_loses_no_rows(cluster, array_file, whole, tmp_path, monkeypatch):
    lost: list[object] = []

    def outcomes_and_a_loss(*arguments, **options):
        for outcome in outcomes(*arguments, **options):
            if not lost:
                lost.append(node)
                cluster.remove_node(node, allow_graceful=False)
            yield outcome

    monkeypatch.setattr("inksight.scale.job.outcomes", outcomes_and_a_loss)
    monkeypatch.setattr("inksight.scale.job.read_shard", read_shard_slowly)
    node = next(iter(cluster.worker_nodes))
    result = []

    def job():
        done = read_in_shards(array_file, tmp_path, model="tiny", shards=8, engine="ray", workers=2, progress=False)
        result.append(done)

    thread = threading.Thread(target=job)
    thread.start()
    thread.join(timeout=120)
    assert not thread.is_alive()
    assert lost == [node]
    assert (result[0].done, result[0].rows) == (8, 2000)
    assert parts(tmp_path) == parts(whole)
    assert not node.any_processes_alive()


@pytest.mark.parametrize("kind", [ConnectionError, Exception])
def test_an_address_without_a_cluster_is_one_error(kind, monkeypatch):
    def no_cluster(*_arguments, **_options):
        raise kind("no\ncluster")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", no_cluster)
    with pytest.raises(
        InksightError, match=r"^cannot reach the Ray cluster 10.0.0.5:6379: no cluster; give the address"
    ):
        cluster_cores("10.0.0.5:6379")
