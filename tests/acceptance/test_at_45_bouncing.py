"""AT-45: rules and people pull at the same conversations; each is given once, and a person has the last word."""

import asyncio
import random

COUNT = 500
ASSIGNERS = 8
MEMBERS = {"asia": [f"asia{n}" for n in range(4)], "europe": [f"europe{n}" for n in range(4)]}


async def staffed(office):
    """Two teams; what comes on the channel is of the first, and a rule gives part of it to the second."""
    for names in MEMBERS.values():
        for name in names:
            await office.client(name)
    asia = await office.team("Asia", MEMBERS["asia"], ["shopee/shop"])
    europe = await office.team("Europe", MEMBERS["europe"], ["ebay/*"])
    return asia["id"], europe["id"]


async def test_of_eight_assigners_one_gives_each_conversation_away_and_never_outside_its_team(office):
    asia, europe = await staffed(office)
    keys = await office.write(COUNT)
    desk, dice = office.weir.services.desk, random.Random(45)  # noqa: S311 # dice of a test
    moved = set(dice.sample(keys, COUNT // 5))
    given = {key: [] for key in keys}
    teams = {None: MEMBERS["asia"], asia: MEMBERS["asia"], europe: MEMBERS["europe"]}

    async def assigner(order):
        for key in order:
            (row,) = await office.rows([key])
            name = dice.choice(teams[row.team])
            done = await desk.automatically(row, assignee=name, rule="test")
            if done is not None:
                given[key].append((done.assignee, done.team))

    async def rule():
        for key in moved:
            (row,) = await office.rows([key])
            await desk.automatically(row, team=europe, rule="set team")

    orders = [dice.sample(keys, COUNT) for _ in range(ASSIGNERS)]
    await asyncio.gather(rule(), *(assigner(order) for order in orders))

    assert [key for key, times in given.items() if len(times) != 1] == []
    for row in await office.rows(keys):
        ((name, team),) = given[row.key]
        assert (row.assignee, row.automatic) == (name, True)
        assert row.assignee in teams[team]
        # The rule may have come second: then whoever had it would be outside its team, and it did nothing.
        assert row.assignee in teams[row.team]
        notes = await office.notes(row.key, "conversation.assigned")
        assert len([note for note in notes if "assignee" in note.after]) == 1
    assert office.counted("conflict") > 0


async def test_a_person_beats_the_rules_and_every_later_writer_sees_a_conflict(office):
    asia, _ = await staffed(office)
    keys = await office.write(COUNT)
    desk, dice = office.weir.services.desk, random.Random(54)  # noqa: S311 # dice of a test
    clicked = dice.sample(keys, 100)
    ann = await office.client("ann", "supervisor")
    root = await office.admin()
    await root.put(f"/api/v1/teams/{asia}", json={"members": [*MEMBERS["asia"], "ann"]})

    async def assigner(order):
        for key in order:
            (row,) = await office.rows([key])
            if row.assignee is None:
                await desk.automatically(row, assignee=dice.choice(MEMBERS["asia"]), rule="test")

    async def person():
        for key in clicked:
            answer = await ann.post(f"/api/v1/conversations/{key}/claim", json={"version": 0})
            assert answer.status_code == 200, answer.text

    orders = [dice.sample(keys, COUNT) for _ in range(ASSIGNERS)]
    await asyncio.gather(person(), *(assigner(order) for order in orders))
    rows = await office.rows(keys)
    assert {row.key for row in rows if row.assignee == "ann"} == set(clicked)
    assert all(row.assignee is not None for row in rows)
    for key in clicked[:20]:
        (row,) = await office.rows([key])
        late = await root.post(f"/api/v1/conversations/{key}/assign", json={"assignee": "asia0", "version": 0})
        assert (late.status_code, late.json()["assignee"]) == (409, "ann")
        assert await desk.automatically(row, assignee="asia1", rule="test") is None
    # Those that a rule had given away a moment before are counted as pulled at.
    taken = [key for key in clicked if await office.notes(key, "conversation.assigned")]
    assert office.counted("reassigned_soon") == len(taken)
