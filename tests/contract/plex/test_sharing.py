"""Accounts: linking, filters that really hide, shares that change, tokens that end, the home, several servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from xml.etree import ElementTree

import aiohttp
import pytest

from simulators.clock import SimClock
from simulators.plex.sim import PlexSim

ME = {"Accept": "application/json", "X-Plex-Client-Identifier": "me"}


@pytest.fixture
async def web(sim: PlexSim) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers=ME) as http:
        yield http
    assert sim.unknown_routes == []


async def pin_of(http: aiohttp.ClientSession, sim: PlexSim, **options: str) -> dict[str, Any]:
    async with http.post(f"{sim.account_url}/api/v2/pins", params=options) as made:
        assert made.status == 201
        shown: dict[str, Any] = await made.json()
        return shown


async def state_of(
    http: aiohttp.ClientSession, sim: PlexSim, pin: dict[str, Any], **headers: str
) -> tuple[int, str | None]:
    url = f"{sim.account_url}/api/v2/pins/{pin['id']}"
    async with http.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()}) as answer:
        return answer.status, (await answer.json())["authToken"] if answer.status == 200 else None


async def test_a_strong_pin_lives_15_minutes(sim: PlexSim, web: aiohttp.ClientSession) -> None:
    pin = await pin_of(web, sim, strong="true")
    assert (len(pin["code"]), pin["expiresIn"], pin["clientIdentifier"]) == (25, 900, "me")
    sim.clock.jump(899)
    assert await state_of(web, sim, pin) == (200, None)
    sim.clock.jump(2)
    assert (await state_of(web, sim, pin))[0] == 404
    async with web.post(f"{sim.account_url}/link", data={"code": pin["code"], "account": "1"}) as late:
        assert late.status == 404


async def test_a_pin_belongs_to_the_client_that_made_it(sim: PlexSim, web: aiohttp.ClientSession) -> None:
    pin = await pin_of(web, sim, strong="true")
    link = {"code": pin["code"], "account": "4200117"}
    async with web.post(f"{sim.account_url}/link", data={**link, "clientID": "somebody else"}) as refused:
        assert refused.status == 404
    async with web.post(f"{sim.account_url}/link", data={**link, "clientID": "me"}) as linked:
        assert linked.status == 200
    assert (await state_of(web, sim, pin, X_Plex_Client_Identifier="somebody else"))[0] == 404
    assert await state_of(web, sim, pin) == (200, sim.account_token_of("Marcus"))
    async with web.post(f"{sim.account_url}/link", data={**link, "account": "1"}) as again:
        assert again.status == 404  # linked once, and to one account


async def test_a_pin_that_is_refused(sim: PlexSim, web: aiohttp.ClientSession) -> None:
    pin = await pin_of(web, sim)
    async with web.post(f"{sim.account_url}/link", data={"code": pin["code"], "deny": "1"}) as refused:
        assert refused.status == 200
    assert (await state_of(web, sim, pin))[0] == 404
    async with web.post(f"{sim.account_url}/api/v2/pins", headers={"X-Plex-Client-Identifier": ""}) as nobody:
        assert nobody.status == 400


async def test_linking_with_a_token(sim: PlexSim, web: aiohttp.ClientSession) -> None:
    pin = await pin_of(web, sim)
    token = {"X-Plex-Token": sim.account_token_of("Yuki")}
    async with web.put(f"{sim.account_url}/api/v2/pins/link", data={"code": pin["code"]}, headers=token) as linked:
        assert linked.status == 204
    assert await state_of(web, sim, pin) == (200, sim.account_token_of("Yuki"))


async def titles(ask: Any, path: str, token: str) -> list[str]:
    found = await ask.json(path, token=token)
    rows = [*found.get("Metadata", []), *(row for hub in found.get("Hub", []) for row in hub.get("Metadata", []))]
    rows += [result["Metadata"] for result in found.get("SearchResult", [])]
    return [row["title"] for row in rows]


async def test_filters_hide_in_every_list_search_and_detail(sim: PlexSim, ask: Any) -> None:
    token, world = sim.token_of("Marcus"), sim.world
    film, shelf = world.find("Low Orbit"), world.find("Orbit and Beyond", "collection")
    sim.edit(film, labels=("Secret",), added_at=int(sim.clock.now()))  # the newest of all
    shown = await titles(ask, "/library/sections/1/all", token)
    sim.restrict("Marcus", filter_movies="label!=secret")
    hidden = await titles(ask, "/library/sections/1/all", token)
    assert set(shown) - set(hidden) == {"Low Orbit"}
    total = await ask.json("/library/sections/1/all?X-Plex-Container-Start=0&X-Plex-Container-Size=0", token=token)
    assert total["totalSize"] == len(hidden)
    for path in (
        "/library/sections/1/all?title=orbit", "/hubs/search?query=low%20orbit", "/search?query=low%20orbit",
        "/library/search?query=low%20orbit", "/library/all?title=low%20orbit", f"/library/all?guid={world.guid(film)}",
        f"/library/collections/{shelf.key}/children", "/library/sections/1/recentlyAdded", "/hubs",
        "/library/recentlyAdded", "/hubs/sections/1", "/library/sections/1/all?sort=addedAt:desc&limit=1",
    ):  # fmt: skip
        assert "Low Orbit" in await titles(ask, path, sim.token), path
        assert "Low Orbit" not in await titles(ask, path, token), path
    for path in (f"/library/metadata/{film.key}", f"/library/metadata/{film.key}/extras"):
        assert (await ask.raw(path, token=token))[0] == 404
        assert (await ask.raw(path))[0] == 200
    both = f"/library/metadata/{film.key},{world.find('Blue Hour').key}"
    assert await titles(ask, both, token) == ["Blue Hour"]
    assert (await ask.json(f"/library/collections/{shelf.key}", token=token))["Metadata"][0]["childCount"] == str(
        len(shelf.members) - 1
    )
    assert "Secret" not in {
        row["title"] for row in (await ask.json("/library/sections/1/label", token=token))["Directory"]
    }
    sim.restrict("Marcus", filter_movies="")
    assert await titles(ask, "/library/sections/1/all", token) == shown


async def test_an_allow_list_of_labels_shows_five_per_cent(sim: PlexSim, ask: Any) -> None:
    token, chosen = sim.token_of("Marcus"), sim.world.listed(1, "movie")[:3]
    for film in chosen:
        sim.edit(film, labels=("Guest Room",))
    sim.restrict("Marcus", filter_movies="label=Guest%20Room")
    assert sorted(await titles(ask, "/library/sections/1/all", token)) == sorted(film.title for film in chosen)
    assert await titles(ask, "/library/sections/1/all?type=18", token) == [
        shelf.title for shelf in sim.world.listed(1, "collection") if any(m in chosen for _, m in shelf.members)
    ]
    assert await titles(ask, "/library/sections/2/all", token)  # series are not films


async def test_ratings_and_series(sim: PlexSim, ask: Any) -> None:
    token, world = sim.token_of("Marcus"), sim.world
    show = world.listed(2, "show")[0]
    episode = world.leaves(show)[0]
    sim.edit(show, content_rating="TV-MA")
    sim.restrict("Marcus", filter_television="contentRating!=TV-MA")
    for path in (f"/library/metadata/{show.key}", f"/library/metadata/{episode.key}",
                 f"/library/metadata/{show.key}/children", f"/library/metadata/{show.key}/allLeaves"):  # fmt: skip
        assert (await ask.raw(path, token=token))[0] == 404, path
    assert show.title not in await titles(ask, "/library/sections/2/all", token)
    assert episode.title not in await titles(ask, f"/library/sections/2/all?type=4&show.id={show.key}", token)
    sim.restrict("Marcus", filter_television="", filter_all="label=Nothing")
    assert await titles(ask, "/library/sections/1/all", token) == []


async def test_what_plex_tv_tells_of_shares(sim: PlexSim, web: aiohttp.ClientSession) -> None:
    owner = {"X-Plex-Token": sim.token, "Accept": "application/xml"}
    sim.restrict("Yuki", filter_movies="label=Kids%2CFamily", filter_television="contentRating!=TV-MA")
    async with web.get(f"{sim.account_url}/api/users/", headers=owner) as answer:
        users = {user.get("title"): user for user in ElementTree.fromstring(await answer.text())}
    assert (users["Yuki"].get("filterMovies"), users["Yuki"].get("filterTelevision")) == (
        "label=Kids%2CFamily", "contentRating!=TV-MA",
    )  # fmt: skip
    assert (users["Juno"].get("restricted"), users["Juno"].get("home"), users["Juno"].get("email")) == ("1", "1", "")
    machine = f"{sim.account_url}/api/servers/{sim.machine_id}"
    async with web.get(f"{machine}/shared_servers", headers=owner) as answer:
        shares = {share.get("username"): share for share in ElementTree.fromstring(await answer.text())}
    assert shares["Marcus"].get("accessToken") == sim.token_of("Marcus")
    seen = {section.get("title") for section in shares["Marcus"] if section.get("shared") == "1"}
    assert seen == {"Movies", "TV Shows"}
    async with web.get(f"{sim.account_url}/api/v2/friends", headers={"X-Plex-Token": sim.token}) as answer:
        friends = {friend["title"]: friend for friend in await answer.json()}
    assert friends["Yuki"]["sharingSettings"]["filterMovies"] == "label=Kids%2CFamily"
    async with web.get(
        f"{sim.account_url}/api/users/", headers={**owner, "X-Plex-Token": sim.account_token_of("Yuki")}
    ) as answer:
        assert len(ElementTree.fromstring(await answer.text())) == 0
    async with web.get(f"{machine}/shared_servers", headers={"X-Plex-Token": sim.account_token_of("Yuki")}) as answer:
        assert answer.status == 404


async def test_the_owner_changes_shares_and_filters(sim: PlexSim, web: aiohttp.ClientSession, ask: Any) -> None:
    owner, token = {"X-Plex-Token": sim.token}, sim.token_of("Marcus")
    marcus = 4_200_117
    machine = f"{sim.account_url}/api/servers/{sim.machine_id}/shared_servers"
    body = {"server_id": sim.machine_id, "shared_server": {"library_section_ids": [9003]}}
    async with web.put(f"{machine}/{marcus * 10}", json=body, headers=owner) as answer:
        assert answer.status == 200
    assert [row["title"] for row in (await ask.json("/library/sections", token=token))["Directory"]] == ["Music"]
    assert (await ask.raw(f"/library/metadata/{sim.world.find('Low Orbit').key}", token=token))[0] == 404
    sharing = f"{sim.account_url}/api/v2/sharings/{marcus}"
    async with web.put(sharing, params={"filterMusic": "label=Loud"}, headers=owner) as answer:
        assert answer.status == 200
    assert await titles(ask, "/library/sections/3/all", token) == []
    async with web.put(sharing, params={"filterMusic": "loud"}, headers=owner) as answer:
        assert answer.status == 400
    async with web.delete(sharing, headers=owner) as answer:
        assert answer.status == 200
    assert (await ask.raw("/library/sections", token=token))[0] == 401
    signed_in = {"X-Plex-Token": sim.account_token_of("Marcus")}
    async with web.get(f"{sim.account_url}/api/v2/resources", headers=signed_in) as answer:
        assert await answer.json() == []
    invited = {"shared_server": {"invited_email": "robin@example.invalid", "library_section_ids": [9001]}}
    async with web.post(machine, json=invited, headers=owner) as answer:
        assert answer.status == 201
    robin = sim.token_of("Robin")
    assert [row["title"] for row in (await ask.json("/library/sections", token=robin))["Directory"]] == ["Movies"]


async def test_the_home_and_its_pin(sim: PlexSim, web: aiohttp.ClientSession) -> None:
    owner = {"X-Plex-Token": sim.token}
    async with web.get(f"{sim.account_url}/api/v2/home/users", headers=owner) as answer:
        people = {each["title"]: each for each in (await answer.json())["users"]}
    assert {name: (each["admin"], each["restricted"], each["protected"]) for name, each in people.items()} == {
        "Olivia": (True, False, False), "Juno": (False, True, True),
    }  # fmt: skip
    switch = f"{sim.account_url}/api/home/users/{people['Juno']['id']}/switch"
    async with web.post(switch, headers=owner) as answer:
        assert answer.status == 401
    async with web.post(f"{switch}?pin=4711", headers=owner) as answer:
        assert (await answer.json())["authToken"] == sim.account_token_of("Juno")


async def test_a_token_that_ends_in_the_middle(sim: PlexSim, web: aiohttp.ClientSession, ask: Any) -> None:
    token, signed_in = sim.token_of("Marcus"), sim.account_token_of("Marcus")
    sim.between("GET /library/sections/1/all", lambda: sim.revoke(signed_in))
    page = "/library/sections/1/all?X-Plex-Container-Size=5&X-Plex-Container-Start="
    assert (await ask.raw(page + "0", token=token))[0] == 200
    assert (await ask.raw(page + "5", token=token))[0] == 401
    async with web.get(f"{sim.account_url}/api/v2/user", headers={"X-Plex-Token": signed_in}) as answer:
        assert answer.status == 401
    pin = await pin_of(web, sim)
    async with web.post(f"{sim.account_url}/link", data={"code": pin["code"], "account": "4200117"}):
        pass
    status, fresh = await state_of(web, sim, pin)
    assert (status, fresh != signed_in, fresh) == (200, True, sim.account_token_of("Marcus"))
    async with web.get(f"{sim.account_url}/api/v2/resources", headers={"X-Plex-Token": str(fresh)}) as answer:
        access = next(row["accessToken"] for row in await answer.json() if row["provides"] == "server")
    assert (await ask.raw(page + "5", token=access))[0] == 200
    with pytest.raises(LookupError):
        sim.revoke(token)


async def test_the_owners_token_ends(sim: PlexSim, web: aiohttp.ClientSession, ask: Any) -> None:
    old = sim.token
    async with web.delete(f"{sim.account_url}/api/v2/users/signout", headers={"X-Plex-Token": old}) as answer:
        assert answer.status == 204
    assert (await ask.raw("/library/sections", token=old))[0] == 401
    assert sim.token != old
    assert (await ask.raw("/library/sections"))[0] == 200


async def test_several_servers_of_one_owner() -> None:
    clock = SimClock(speed=0)
    async with (
        PlexSim(seed=1, clock=clock, name="Attic") as first,
        PlexSim(seed=2, clock=clock, name="Cellar") as second,
        aiohttp.ClientSession(headers=ME) as http,
    ):
        first.join(second)
        for sim, names in ((first, ["Attic", "Cellar"]), (second, ["Cellar", "Attic"])):
            async with http.get(f"{sim.account_url}/api/v2/resources", headers={"X-Plex-Token": sim.token}) as answer:
                rows = [row for row in await answer.json() if row["provides"] == "server"]
            assert [row["name"] for row in rows] == names
            for row in rows:
                url, token = row["connections"][0]["uri"], row["accessToken"]
                async with http.get(f"{url}/", headers={"X-Plex-Token": token}) as root:
                    about = (await root.json())["MediaContainer"]
                assert about["machineIdentifier"] == row["clientIdentifier"]
        assert first.world.sections[1].uuid != second.world.sections[1].uuid


async def test_what_a_guest_signs_in_with_is_not_what_the_server_takes(
    sim: PlexSim, web: aiohttp.ClientSession, ask: Any
) -> None:
    signed_in, access = sim.account_token_of("Marcus"), sim.token_of("Marcus")
    assert sim.account_token_of("Olivia") == sim.token_of("Olivia") == sim.token
    assert (await ask.raw("/library/sections", token=signed_in))[0] == 401
    assert (await ask.raw("/library/sections", token=access))[0] == 200
    for token, status in ((signed_in, 200), (access, 401)):
        async with web.get(f"{sim.account_url}/api/v2/resources", headers={"X-Plex-Token": token}) as answer:
            assert answer.status == status
    async with web.delete(f"{sim.account_url}/api/v2/users/signout", headers={"X-Plex-Token": signed_in}) as answer:
        assert answer.status == 204
    assert (await ask.raw("/library/sections", token=access))[0] == 200  # one device has signed out, no more
    async with web.get(f"{sim.account_url}/api/v2/user", headers={"X-Plex-Token": signed_in}) as answer:
        assert answer.status == 401


async def test_every_sign_in_has_a_token_of_its_own(sim: PlexSim, web: aiohttp.ClientSession, ask: Any) -> None:
    tokens = []
    for _ in range(2):
        pin = await pin_of(web, sim, strong="true")
        async with web.post(f"{sim.account_url}/link", data={"code": pin["code"], "account": "1"}):
            pass
        tokens.append((await state_of(web, sim, pin))[1])
    first, second = map(str, tokens)
    assert len({first, second, sim.token}) == 3
    assert (await ask.raw("/library/sections", token=first))[0] == 200  # the server is theirs
    async with web.delete(f"{sim.account_url}/api/v2/users/signout", headers={"X-Plex-Token": first}):
        pass
    statuses = [(await ask.raw("/library/sections", token=token))[0] for token in (first, second, sim.token)]
    assert statuses == [401, 200, 200]


async def test_ratings_and_what_to_go_on_with_are_each_accounts_own(sim: PlexSim, ask: Any) -> None:
    marcus, yuki = sim.token_of("Marcus"), sim.token_of("Yuki")
    show = next(one for one in sim.world.listed(2, "show") if one.title != "Deepwater Nine")  # which Yuki watches
    first = sim.world.leaves(show)[1]
    await ask.raw(f"/:/progress?key={first.key}&identifier=x&time=600000&state=stopped", token=marcus)
    for token, rating in ((marcus, 4), (yuki, 9)):
        assert (await ask.raw(f"/:/rate?key={show.key}&identifier=x&rating={rating}", method="PUT", token=token))[
            0
        ] == 200
    shown = {}
    for name, token in (("marcus", marcus), ("yuki", yuki)):
        detail = (await ask.json(f"/library/metadata/{show.key}", token=token))["Metadata"][0]
        deck = (await ask.json("/library/onDeck", token=token)).get("Metadata", [])
        shown[name] = (detail["userRating"], [row["ratingKey"] for row in deck])
    assert {name: (rating, str(first.key) in deck) for name, (rating, deck) in shown.items()} == {
        "marcus": (4, True), "yuki": (9, False),
    }  # fmt: skip
    await ask.raw(f"/:/rate?key={show.key}&identifier=x&rating=-1", method="PUT", token=yuki)
    assert "userRating" not in (await ask.json(f"/library/metadata/{show.key}", token=yuki))["Metadata"][0]
