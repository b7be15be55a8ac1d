"""The same trace through `weir replay`, the product in one process and a cluster: the same anomalies, to the field.

Each part of the trace is posted in one batch: the embedded log takes it in one transaction, Kafka each partition's
share in one record batch, so that no engine ever lets time pass in the middle of it. What may happen between two parts,
and after the last one, is said in sale.py.
"""

import json
import sys
import time
from collections import Counter

import pytest

from actors.keys import partition_of
from loadtest.options import INCIDENTS, TROUBLES
from streams.kafka.sink import BATCH_BYTES
from tests.cluster.products import Product, anomalies, conversations, figures, ledger
from tests.cluster.sale import LARGE, PARTS, SMALL, WAIT_MS, Sale

PARTITIONS = 3
WORKERS = ("worker1", "worker2")


@pytest.fixture(scope="module")
def sale(tmp_path_factory):
    return Sale(SMALL, tmp_path_factory.mktemp("sale"))


@pytest.fixture(scope="module")
def embedded(sale, tmp_path_factory):
    """What the product in one process tells of the sale."""
    return told_by_one_process(sale, tmp_path_factory.mktemp("embedded"))


def told_by_one_process(sale, folder):
    with Product(folder, data_dir=str(folder / "data"), partitions=PARTITIONS + 2) as product:
        http = product.ask(product.start("serve", "serve"))
        live_through(product, http, sale)
        told = all_of(http, sale)
        product.stop("serve")
    return told


def live_through(product, http, sale):
    """Post part after part, each when the one before is stored; wait until all that is due has fired."""
    sent, accepted, posted_at = 0, 0, None
    for part in sale.parts:
        assert posted_at is None or time.time() - posted_at < WAIT_MS / 1000
        posted_at = time.time()
        answer = http.post("/api/v1/events", content=part, headers={"Content-Type": "application/x-ndjson"})
        assert answer.status_code == 202, answer.text
        sent += part.count(b"\n")
        accepted += answer.json()["accepted"]
        product.until(lambda total=sent: in_ledger(http) == total, lambda total=sent: f"{in_ledger(http)} not {total}")
    assert accepted == sale.report["events"]
    expected = sale.anomalies
    product.until(
        lambda: anomalies(http, sale.ends) == expected and none_runs(http),
        lambda: "\n".join(differences(expected, anomalies(http, sale.ends))[:20]) or "response times run for ever",
    )


def in_ledger(http):
    return http.get("/api/v1/stats").json()["ledger"]["accepted"]


def none_runs(http):
    """Whether every response time that was not kept is told as breached."""
    return {row["sla"] for row in conversations(http).values()} <= {None, "breached"}


def all_of(http, sale):
    """Anomalies, ledger, conversations."""
    return anomalies(http, sale.ends), ledger(http, sale.channels), conversations(http)


def differences(expected, found):
    """What is missing, too much or different, said one by one."""
    return [
        *(f"missing: {expected[key]}" for key in expected.keys() - found.keys()),
        *(f"invented: {found[key]}" for key in found.keys() - expected.keys()),
        *(
            f"expected {expected[key]}\n   found {found[key]}"
            for key in expected.keys() & found.keys()
            if expected[key] != found[key]
        ),
    ]


def compare(sale, told):
    """Replay's anomalies, ledger, and messages by channel."""
    found, accounts, rows = told
    assert differences(sale.anomalies, found) == []
    assert accounts == sale.ledger
    messages = Counter()
    for row in rows.values():
        messages[row["platform"], row["account"]] += row["messages"]
    assert messages == {(row["platform"], row["account"]): row["messages"] for row in sale.report["channels"]}


def shares(events):
    """Bytes of these events by partition."""
    sizes = Counter()
    for event in events:
        if "account" in event:
            number = partition_of(event["platform"], event["account"], PARTITIONS)
            sizes[number] += len(json.dumps(event, ensure_ascii=False).encode())
    return sizes


def test_the_trace_has_every_trouble_and_comes_in_order(sale):
    """The others rely on it: replay keeps one time for the trace, the live product one for each partition."""
    assert len(sale.troubles()) == len(TROUBLES) + len(INCIDENTS), sale.troubles()
    assert {a["status"] for a in sale.anomalies.values()} == {"open", "resolved"}
    times = [event["at"] for event in sale.events]
    assert times == sorted(times)
    assert len(sale.report["rejected"]) == 3 * PARTS
    assert sale.report["duplicates"] > 0
    assert len(shares(sale.events)) == PARTITIONS
    assert max(shares(sale.events).values()) < BATCH_BYTES


def test_the_product_in_one_process_finds_what_replay_finds(sale, embedded):
    compare(sale, embedded)


def test_one_process_finds_what_replay_finds_in_a_bigger_sale_too(tmp_path):
    sale = Sale(LARGE, tmp_path)
    assert len(sale.events) > 5_000
    compare(sale, told_by_one_process(sale, tmp_path))


@pytest.mark.services
@pytest.mark.timeout(1200)
def test_a_cluster_of_two_workers_finds_what_replay_and_one_process_find(
    sale, embedded, kafka, mongo, redis_server, tmp_path
):
    with Product(
        tmp_path,
        broker=kafka.url,
        database=mongo.fresh(),
        redis=f"{redis_server.url}/15",
        kafka_topic=f"equality-{tmp_path.name}",
        kafka_group=f"equality-{tmp_path.name}",
        partitions=PARTITIONS,
    ) as cluster:
        web = cluster.start("web", "web")
        for name in WORKERS:
            cluster.start(name, "worker")
        http = cluster.ask(web)
        spoken_to = set(shares(sale.events))
        cluster.until(
            lambda: shared_out([figures(cluster.processes[name])[0] for name in WORKERS], spoken_to),
            lambda: f"partitions: {[figures(cluster.processes[name])[0] for name in WORKERS]}",
        )
        live_through(cluster, http, sale)
        worked = [figures(cluster.processes[name])[1] for name in WORKERS]
        sys.stdout.write(f"events by worker: {worked}, workers started again: {cluster.started_again}\n")
        cluster.stop(*WORKERS)  # nothing changes any more
        told = all_of(http, sale)
        cluster.stop("web")
    compare(sale, told)
    assert differences(embedded[2], told[2]) == []


def shared_out(owned, spoken_to):
    """Whether every partition has one worker, and every worker some of the channels."""
    return sum(map(len, owned)) == PARTITIONS == len(set.union(*owned)) and all(part & spoken_to for part in owned)
