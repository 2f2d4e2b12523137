"""The pods of a namespace by Kubernetes' client for Python: ``pods.py CONTEXT NAMESPACE``."""

import sys

from kubernetes import client, config

context, namespace = sys.argv[1:]
config.load_kube_config(context=context)
for pod in client.CoreV1Api().list_namespaced_pod(namespace).items:
    print(pod.metadata.name, pod.status.phase, pod.status.pod_ip)
