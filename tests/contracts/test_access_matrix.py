"""Who may do what with every object that has an address under /api/v1/, on every verb.

The routes are read from the router, so a new view set without an object in `objects.py` fails here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import reverse

from apps.accounts.access import Role, Scope
from apps.catalog.models import Environment
from monitor_portal.api_urls import router
from tests.contracts.objects import OBJECTS
from tests.factories import api_client, make_token, make_user

pytestmark = pytest.mark.django_db

SAFE = {"get"}
# What asks for more than the view set's role, by (basename, verb): the administrator of the whole installation.
WHOLE_INSTALLATION = {
    ("environment", "delete"),
    ("guard", "patch"),
    ("guard", "delete"),
    ("region", "patch"),
    ("region", "delete"),
    ("route", "patch"),
    ("route", "delete"),
}
# A region, its guards and the tree of routes belong to no environment: whoever has any role may see them.
SHARED = {"region", "guard", "route"}
# What may be asked for without a body: it is about everything there is.
WITHOUT_BODY = {"notification-replay-dead"}
# What says nothing unless it is told of which objects.
WITH_QUERY = {"model-compare"}
# Objects of one person, whatever the roles of others.
PERSONAL = {"token"}


PATTERNS: list[Any] = list(router.urls)


@dataclass(frozen=True)
class Route:
    basename: str
    name: str
    verb: str
    role: Role

    def __str__(self) -> str:
        return f"{self.verb} {self.name}"

    @property
    def is_safe(self) -> bool:
        return self.verb in SAFE


def routes(*, detail: bool) -> list[Route]:
    found = []
    for pattern in PATTERNS:
        view: Any = pattern.callback
        if bool(view.initkwargs.get("detail")) != detail:
            continue
        role = Role(getattr(view.cls, "role_for_write", Role.OPERATOR))
        for verb in view.actions:
            if verb in view.cls.http_method_names and verb != "head":
                found.append(Route(view.initkwargs["basename"], str(pattern.name), verb, role))
    return found


OBJECT_ROUTES = routes(detail=True)
LIST_ROUTES = routes(detail=False)


def ask(client: Any, route: Route, environment: Environment | None) -> int:
    """The status a caller gets on a fresh object, with an empty body."""
    arguments = OBJECTS[route.basename](environment) if environment is not None else {}
    names = {name for pattern in PATTERNS if pattern.name == route.name for name in pattern.pattern.regex.groupindex}
    url = reverse(f"api:{route.name}", kwargs={key: value for key, value in arguments.items() if key in names})
    answer = (
        getattr(client, route.verb)(url) if route.verb in {"get", "delete"} else getattr(client, route.verb)(url, {})
    )
    return int(answer.status_code)


def test_every_route_has_an_object_to_be_tried_on() -> None:
    assert {route.basename for route in OBJECT_ROUTES} <= set(OBJECTS)
    assert len(OBJECT_ROUTES) > 30


@pytest.mark.parametrize("route", OBJECT_ROUTES, ids=str)
def test_an_outsider_finds_no_object_on_any_verb(route: Route, production: Environment) -> None:
    assert ask(api_client(make_user(None)), route, production) == 404


@pytest.mark.parametrize("route", [route for route in OBJECT_ROUTES if route.basename not in SHARED], ids=str)
def test_an_administrator_of_another_environment_finds_no_object_either(
    route: Route, production: Environment, development: Environment
) -> None:
    assert ask(api_client(make_user("admin", development)), route, production) == 404


@pytest.mark.parametrize("route", OBJECT_ROUTES, ids=str)
def test_nobody_gets_nothing_but_a_challenge(route: Route, production: Environment) -> None:
    assert ask(api_client(), route, production) == 401


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("route", [route for route in OBJECT_ROUTES if route.basename not in PERSONAL], ids=str)
def test_inside_the_grants_the_role_decides(route: Route, role: Role, production: Environment) -> None:
    status = ask(api_client(make_user(role, production)), route, production)
    enough = route.is_safe or role.rank >= route.role.rank
    if (route.basename, route.verb) in WHOLE_INSTALLATION:
        enough = False
    if enough:
        assert status not in {401, 403, 404, 405} and status < 500
    else:
        assert status == 403


@pytest.mark.parametrize("route", [route for route in OBJECT_ROUTES if route.basename not in PERSONAL], ids=str)
def test_a_token_that_may_only_read_changes_nothing_even_for_an_administrator(
    route: Route, production: Environment
) -> None:
    client = api_client(token=make_token(make_user("admin"), Scope.READ))
    status = ask(client, route, production)
    assert status == (200 if route.is_safe else 403)


@pytest.mark.parametrize("route", LIST_ROUTES, ids=str)
def test_lists_ask_for_a_role_and_making_for_a_larger_one(route: Route, production: Environment) -> None:
    assert ask(api_client(), route, None) == 401
    if route.basename in PERSONAL:
        return
    assert ask(api_client(make_user(None)), route, None) == 403
    viewer = ask(api_client(make_user("viewer", production)), route, None)
    assert viewer == ((400 if route.name in WITH_QUERY else 200) if route.is_safe else 403)
    if not route.is_safe:
        assert ask(api_client(make_user(route.role)), route, None) == (202 if route.name in WITHOUT_BODY else 400)


@pytest.mark.parametrize(
    "route", [route for route in LIST_ROUTES if route.is_safe and route.name not in WITH_QUERY], ids=str
)
def test_a_list_holds_nothing_of_another_environment(
    route: Route, production: Environment, development: Environment
) -> None:
    inside = str(OBJECTS[route.basename](development)["pk"])
    outside = str(OBJECTS[route.basename](production)["pk"])
    client = api_client(make_user("viewer", development))
    # Its id, or what a row is about where rows have none.
    rows = [row.get("id", row.get("model")) for row in client.get(reverse(f"api:{route.name}")).json()["results"]]
    if route.basename in PERSONAL:
        assert inside not in rows and outside not in rows
    else:
        assert inside in rows
        assert outside not in rows or route.basename in SHARED


@pytest.mark.parametrize("path", ["summary/", "targets/{target}/uptime/"])
def test_plain_views_keep_to_the_same_rules(path: str, production: Environment) -> None:
    target = OBJECTS["target"](production)["pk"]
    url = f"/api/v1/{path.format(target=target)}"
    assert api_client().get(url).status_code == 401
    assert api_client(make_user(None)).get(url).status_code == (404 if "{" in path else 403)
    assert api_client(make_user("viewer", production)).get(url).status_code == 200
