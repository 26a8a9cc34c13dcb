"""Image, compose, systemd and Kubernetes files agree with the code and with each other."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from daemon.cli import main
from daemon.cli.outcome import BAD_CONFIG
from daemon.core.limits import DRAIN_S, HEARTBEAT_STALE_S
from daemon.core.roles import Role
from daemon.settings.model import Http
from tests.architecture import deployment
from tests.architecture.source import ROOT

PORT = Http().port
SERVICES = deployment.compose()["services"]
DAEMONS = ["marquee", "worker", "web"]
DRAIN_ROOM_S = 2 * DRAIN_S  # what hangs is cancelled after DRAIN_S, part after part
TRACKED_FOLDERS = ("./config", "./deploy/")


def role_of(command: list[str]) -> Role:
    assert command[:2] == ["run", "--role"]
    return Role(re.sub(r"^\$\{\w+:-(\w+)\}$", r"\1", command[2]))


# The image


def test_the_image_runs_as_nobody_by_number() -> None:
    uid, gid = deployment.instruction("USER").split(":")
    assert int(uid) >= 1000
    assert int(gid) >= 1000


def test_the_image_serves_where_probes_look() -> None:
    assert int(deployment.instruction("EXPOSE")) == PORT
    environment = deployment.image_environment()
    assert deployment.unknown_names(list(environment)) == []
    assert environment["MARQUEE_DATA_DIR"] == deployment.instruction("VOLUME")
    assert environment["MARQUEE_HTTP__HOST"] == "0.0.0.0"


def test_the_image_starts_commands_that_exist_without_a_shell() -> None:
    assert json.loads(deployment.instruction("ENTRYPOINT")) == ["marquee"]
    probe = deployment.instruction("HEALTHCHECK")
    started = json.loads(deployment.instruction("CMD"))[0]
    asked = json.loads(probe.split("CMD", 1)[1])[1]
    assert {started, asked} <= set(main.commands)
    assert deployment.instruction("STOPSIGNAL") == "SIGTERM"
    assert deployment.seconds(re.findall(r"--interval=(\w+)", probe)[0]) >= 30


def test_what_builds_the_image_does_not_stay_in_it() -> None:
    copied = [rest for instruction, rest in deployment.dockerfile() if instruction == "COPY"]
    assert copied == ["--from=build /opt/marquee /opt/marquee"]
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert set(re.findall(r"^FROM (\S+)", text, re.M)) == {"python:3.13-slim"}
    assert len(re.findall(r"--require-hashes", text)) == 2
    lock = (ROOT / "deploy" / "requirements-build.txt").read_text("utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", lock.strip())
    assert {"uv", "hatchling"} <= {entry.split("==")[0] for entry in entries}
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in lock


def test_the_builder_gets_what_it_copies_and_nothing_else() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    wanted = {part for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.M) for part in line.split()}
    admitted = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.M))
    assert wanted == admitted
    assert [name for name in sorted(wanted) if not (ROOT / name).exists()] == []
    assert (ROOT / ".dockerignore").read_text("utf-8").splitlines()[1] == "*"


# Compose


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_bounds_and_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"].endswith("m")
    assert service["init"] is True
    assert [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_names_is_there(name: str) -> None:
    service, project = SERVICES[name], deployment.compose()
    assert set(service.get("secrets", [])) <= set(project["secrets"])
    assert set(service.get("networks", [])) <= {"default", *project["networks"]}
    assert set(service.get("depends_on", [])) <= set(SERVICES)
    for source in (volume.split(":")[0] for volume in service.get("volumes", [])):
        if source.startswith("."):
            assert source.startswith(TRACKED_FOLDERS)
            assert (ROOT / source).is_dir()
        else:
            assert source in project["volumes"]


@pytest.mark.parametrize("name", DAEMONS)
def test_a_daemon_in_compose_fits_the_code(name: str) -> None:
    service = SERVICES[name]
    assert deployment.unknown_names(list(service["environment"])) == []
    assert deployment.seconds(service["stop_grace_period"]) > DRAIN_ROOM_S
    assert f"data:{deployment.instruction('VOLUME')}" in service["volumes"]
    assert f"./config:{deployment.instruction('WORKDIR')}/config:ro" in service["volumes"]
    assert [port for port in service.get("ports", []) if not port.endswith(f":{PORT}")] == []
    for needed, how in service["depends_on"].items():
        assert how == {"condition": "service_healthy"}
        assert "healthcheck" in SERVICES[needed]
    files = [value for name, value in service["environment"].items() if name.endswith("_FILE")]
    assert {Path(file).name for file in files} <= set(service["secrets"])


def test_one_service_alone_talks_to_discord() -> None:
    roles = {name: role_of(SERVICES[name]["command"]) for name in DAEMONS}
    assert [name for name, role in roles.items() if role.has_gateway] == ["marquee"]
    assert [name for name in DAEMONS if SERVICES[name].get("profiles")] == ["worker", "web"]
    assert {role.value for role in roles.values()} == {"all", "worker", "web"}


def test_redis_writes_a_log_and_never_drops_the_queue() -> None:
    command = " ".join(SERVICES["redis"]["command"])
    for option in ("--appendonly yes", "--aof-use-rdb-preamble yes", "--maxmemory-policy volatile-lru"):
        assert option in command
    assert SERVICES["redis"]["networks"] == SERVICES["postgres"]["networks"] == ["inside"]
    assert deployment.compose()["networks"]["inside"] == {"internal": True}


def test_sqlite_alone_needs_no_server() -> None:
    override = deployment.compose("deploy/compose/sqlite.yml")["services"]
    servers = set(SERVICES["marquee"]["depends_on"])
    assert {name for name, service in override.items() if service.get("profiles") == ["unused"]} == servers
    assert override["marquee"]["environment"] == override["marquee"]["depends_on"] == {}
    assert set(override["marquee"]["secrets"]) == {"discord_token", "plex_token"}


def test_secrets_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    script = ROOT / "deploy" / "compose" / "secrets.sh"
    for answers in ("bot\nplex\n", "other\nother\n"):
        subprocess.run([script, tmp_path], input=answers.encode(), check=True, capture_output=True)
        made = {path.name: path.read_text("utf-8") for path in (tmp_path / "secrets").iterdir()}
        declared = deployment.compose()["secrets"]
        assert {f"./secrets/{name}" for name in made} == {secret["file"] for secret in declared.values()}
        assert (made["discord_token.txt"], made["plex_token.txt"]) == ("bot", "plex")
    password = made["postgres_password.txt"]
    assert re.fullmatch(r"[0-9a-f]{48}", password)
    user = SERVICES["postgres"]["environment"]["POSTGRES_USER"]
    base = SERVICES["postgres"]["environment"]["POSTGRES_DB"]
    assert made["database_url.txt"] == f"postgresql://{user}:{password}@postgres/{base}"
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert "/secrets/" in ignored


def test_prometheus_looks_at_every_daemon() -> None:
    scrape = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text("utf-8"))["scrape_configs"][0]
    (found,) = scrape["dns_sd_configs"]
    assert sorted(found["names"]) == sorted(DAEMONS)
    assert found["port"] == PORT
    assert scrape.get("metrics_path", "/metrics") in deployment.routes()
    assert all("default" in SERVICES[name]["networks"] for name in [*DAEMONS, "prometheus", "grafana"])


def test_grafana_finds_its_dashboards_and_prometheus() -> None:
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "marquee.yml").read_text("utf-8"))["providers"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in SERVICES["grafana"]["volumes"]
    (source,) = yaml.safe_load((provisioning / "datasources" / "marquee.yml").read_text("utf-8"))["datasources"]
    assert source["url"] == f"http://prometheus:{SERVICES['prometheus']['ports'][0].split(':')[-1]}"


# systemd


def test_the_unit_fits_the_code() -> None:
    unit = {name: values[-1] for name, values in deployment.unit().items()}
    assert unit["Type"] == "notify"
    assert unit["ExecStart"].split("/")[-1] == "marquee run"
    assert int(unit["RestartPreventExitStatus"]) == BAD_CONFIG
    assert deployment.seconds(unit["TimeoutStopSec"]) > DRAIN_ROOM_S
    assert deployment.seconds(unit["WatchdogSec"]) > 2 * HEARTBEAT_STALE_S
    environment = dict(part.split("=", 1) for part in unit["Environment"].split())
    assert deployment.unknown_names(list(environment)) == []
    assert environment["MARQUEE_DATA_DIR"] == f"%S/{unit['StateDirectory']}"
    credentials = [value.split(":")[0] for value in deployment.unit()["LoadCredential"]]
    assert environment["MARQUEE_CONFIG"] == f"%d/{credentials[0]}"
    assert {"discord_token", "plex_token"} < set(credentials)


# Kubernetes


@pytest.mark.parametrize("name", deployment.pods())
def test_a_pod_fits_image_and_code(name: str) -> None:
    pod = deployment.pods()[name]["spec"]
    (container,) = pod["containers"]
    assert pod["terminationGracePeriodSeconds"] > DRAIN_ROOM_S
    assert pod["enableServiceLinks"] is False, "MARQUEE_SERVICE_HOST and the like would be unknown settings"
    user = pod["securityContext"]
    assert f"{user['runAsUser']}:{user['runAsGroup']}" == deployment.instruction("USER")
    assert user["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert [port["containerPort"] for port in container["ports"]] == [PORT]
    assert role_of(container["args"]).value == name.removeprefix("marquee-")
    probes = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    paths = {kind: probe["path"] for kind, probe in probes.items()}
    assert paths == {"startup": "/health/startup", "liveness": "/health/live", "readiness": "/health/ready"}
    assert set(paths.values()) <= deployment.routes()
    assert {probe["port"] for probe in probes.values()} == {container["ports"][0]["name"]}
    assert "memory" in container["resources"]["limits"]
    assert deployment.instruction("VOLUME") in [mount["mountPath"] for mount in container["volumeMounts"]]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


def test_one_pod_alone_talks_to_discord() -> None:
    gateways = [name for name, pod in deployment.pods().items() if has_gateway(pod)]
    assert gateways == ["marquee-bots"]
    spec = deployment.resources()["Deployment", "marquee-bots"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def has_gateway(pod: dict[str, Any]) -> bool:
    return role_of(pod["spec"]["containers"][0]["args"]).has_gateway


def test_selectors_find_their_pods() -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in deployment.pods().items()}
    for (kind, name), resource in deployment.resources().items():
        if kind in ("Deployment", "PodDisruptionBudget"):
            assert resource["spec"]["selector"]["matchLabels"] == labels[name]
        elif kind == "Service":
            selector = resource["spec"]["selector"].items()
            assert [name for name, given in labels.items() if selector <= given.items()]


def test_the_configuration_in_kubernetes_is_one() -> None:
    config = deployment.settings_in(deployment.resources()["ConfigMap", "marquee"]["data"]["local.toml"])
    assert [path for path in config if not deployment.is_setting(path)] == []
    (container,) = deployment.pods()["marquee-bots"]["spec"]["containers"]
    (folder,) = [mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "secrets"]
    named = {value for path, value in config.items() if path[-1].endswith("_file")}
    secret = deployment.resources()["Secret", "marquee"]
    assert named == {f"{folder}/{name}" for name in secret["stringData"]}
    assert set(secret["stringData"].values()) == {""}, "a template holds no secret"
    (variable,) = container["env"]
    (place,) = [mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "config"]
    assert variable == {"name": "MARQUEE_CONFIG", "value": f"{place}/local.toml"}


def test_the_kustomization_knows_every_file() -> None:
    text = (deployment.KUBERNETES / "kustomization.yaml").read_text("utf-8")
    listed = set(yaml.safe_load(text)["resources"])
    left_out = {"kustomization.yaml", "secret.example.yaml", "web.yaml"}
    assert listed == {path.name for path in deployment.KUBERNETES.glob("*.yaml")} - left_out
    assert "# - web.yaml" in text
