"""Kubernetes manifests of an image: each a function of the plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nb2prod.release.images import context

if TYPE_CHECKING:
    from nb2prod.release.images.manifests import Plan

_MOST = 4
"""The autoscaler goes up to so many times the replicas asked for."""


def deployment(plan: Plan) -> dict[str, Any]:
    """One container a pod, probed, without rights, writing to /tmp and /data only."""
    volumes: list[dict[str, Any]] = [{"name": "tmp", "emptyDir": {}}]
    data = {"persistentVolumeClaim": {"claimName": f"{_name(plan)}-data"}} if plan.jobs else {"emptyDir": {}}
    volumes.append({"name": "data", **data})
    # A queue on disk has one owner: the old pod ends before the new one starts.
    strategy: dict[str, Any] = (
        {"type": "Recreate"}
        if plan.jobs
        else {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    )
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(plan, annotations=True),
        "spec": {
            **({"replicas": 1} if plan.jobs else {}),  # else the autoscaler's to say
            "selector": {"matchLabels": _selector(plan)},
            "strategy": strategy,
            "template": {
                "metadata": {"labels": _labels(plan), "annotations": _annotations(plan)},
                "spec": {
                    "automountServiceAccountToken": False,
                    "terminationGracePeriodSeconds": plan.drain_seconds,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": context.USER,
                        "runAsGroup": context.USER,
                        "fsGroup": context.USER,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [_container(plan)],
                    "volumes": volumes,
                },
            },
        },
    }


def _container(plan: Plan) -> dict[str, Any]:
    return {
        "name": "model",
        "image": plan.image,
        "ports": [{"name": "http", "containerPort": context.PORT}],
        "startupProbe": {**_probe("/readyz"), "periodSeconds": 2, "failureThreshold": 90},
        "readinessProbe": {**_probe("/readyz"), "periodSeconds": 5, "failureThreshold": 3, "timeoutSeconds": 5},
        "livenessProbe": {**_probe("/livez"), "periodSeconds": 10, "failureThreshold": 6, "timeoutSeconds": 5},
        # Until the Service has taken the pod off its list, requests still come.
        "lifecycle": {"preStop": {"exec": {"command": ["python", "-c", "import time; time.sleep(5)"]}}},
        "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "data", "mountPath": "/data"}],  # noqa: S108
    }


def service(plan: Plan) -> dict[str, Any]:
    """The name by which the cluster asks it."""
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(plan),
        "spec": {"selector": _selector(plan), "ports": ports},
    }


def autoscaler(plan: Plan) -> dict[str, Any]:
    """More pods while they are busy."""
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _metadata(plan),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": _name(plan)},
            "minReplicas": plan.replicas,
            "maxReplicas": plan.replicas * _MOST,
            "metrics": [{"type": "Resource", "resource": cpu}],
        },
    }


def disruption(plan: Plan) -> dict[str, Any]:
    """One pod at a time may be taken away."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(plan),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": _selector(plan)}},
    }


def monitor(plan: Plan) -> dict[str, Any]:
    """For the Prometheus operator. Where keys are set, name one for it (`authorization`)."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": _metadata(plan),
        "spec": {
            "selector": {"matchLabels": _selector(plan)},
            "endpoints": [{"port": "http", "path": "/metrics", "interval": "30s"}],
        },
    }


def network(plan: Plan) -> dict[str, Any]:
    """Requests come in from the cluster; the model asks nobody."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(plan),
        "spec": {
            "podSelector": {"matchLabels": _selector(plan)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [{"namespaceSelector": {}}], "ports": [{"port": context.PORT, "protocol": "TCP"}]}],
            "egress": [],
        },
    }


def volume(plan: Plan) -> dict[str, Any]:
    """Where jobs and the request log are kept."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {**_metadata(plan), "name": f"{_name(plan)}-data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}},
    }


DOCUMENTS: Mapping[str, Callable[[Plan], dict[str, Any]]] = {
    "deployment": deployment,
    "service": service,
    "autoscaler": autoscaler,
    "disruption": disruption,
    "monitor": monitor,
    "network": network,
}


def _probe(path: str) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": "http"}}


def _name(plan: Plan) -> str:
    """A name that Kubernetes takes: no underscores and dots, and a letter first."""
    plain = re.sub(r"[^a-z0-9-]+", "-", plan.name).strip("-")
    return (plain if plain[:1].isalpha() else f"m-{plain}")[:50].rstrip("-")


def _selector(plan: Plan) -> dict[str, str]:
    return {"app.kubernetes.io/name": _name(plan)}


def _labels(plan: Plan) -> dict[str, str]:
    version = plan.labels["org.opencontainers.image.version"]
    return {**_selector(plan), "app.kubernetes.io/version": version, "app.kubernetes.io/managed-by": "nb2prod"}


def _annotations(plan: Plan) -> dict[str, str]:
    """Labels of Kubernetes take no addresses; annotations take what the image says of itself."""
    return {key.replace("nb2prod.", "nb2prod/"): value for key, value in plan.labels.items() if "nb2prod." in key}


def _metadata(plan: Plan, *, annotations: bool = False) -> dict[str, Any]:
    extra = {"annotations": _annotations(plan)} if annotations else {}
    return {"name": _name(plan), "labels": _labels(plan), **extra}
