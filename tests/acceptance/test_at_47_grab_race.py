"""AT-47: two agents take the same conversation at the same moment: one has it, the other learns who and when."""

import asyncio

ROUNDS = 60


async def test_one_wins_and_the_other_sees_who_and_when_and_every_conflict_is_counted(office):
    ann, bob = await office.client("ann"), await office.client("bob")
    keys = await office.write(ROUNDS)
    for key in keys:
        path = f"/api/v1/conversations/{key}/claim"
        answers = await asyncio.gather(*(client.post(path, json={"version": 0}) for client in (ann, bob)))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        won, lost = sorted(answers, key=lambda answer: answer.status_code)
        (row,) = await office.rows([key])
        assert won.json()["assignee"] == row.assignee
        told = lost.json()
        assert (told["assignee"], told["assigned_at"]) == (row.assignee, won.json()["assigned_at"])
        assert told["row"]["desk_version"] == 1
        assert [note.who for note in await office.notes(key, "conversation.claimed")] == [row.assignee]
    assert office.counted("conflict") == ROUNDS
