# A node of a Ray cluster that trains trials (docs/cluster.md): docker build -t registry.example/tinynas-ray .
FROM python:3.11-slim
RUN apt-get update && apt-get install --yes --no-install-recommends rsync openssh-client procps wget \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/tinynas
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY tinynas tinynas
COPY targets targets
# "default" is what ray up and KubeRay want of a node beside the extra: its dashboard and its agents.
RUN pip install --no-cache-dir --no-build-isolation '.[ray]' 'ray[default]'
ENV RAY_USAGE_STATS_ENABLED=0
WORKDIR /root
