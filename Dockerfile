# The HTTP service. docs/serve.md says how to start it; scripts/check_container.py tries this file
# without Docker.
ARG PYTHON=3.13.7

FROM python:${PYTHON}-slim-trixie AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/emopy
RUN /opt/emopy/bin/python -m pip install --no-cache-dir --quiet '.[serve,video]'

FROM python:${PYTHON}-slim-trixie
COPY --from=build /opt/emopy /opt/emopy
ENV PATH=/opt/emopy/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["emopy", "serve", "--host", "0.0.0.0", "--port", "8000"]
CMD ["--api-key-file", "/run/secrets/emopy_keys"]
