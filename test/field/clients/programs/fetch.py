"""fetch.py HOW URL: prints the status and the body, or to stderr every error in the chain of causes; exit 0 only for 200. The proxy is in the
environment, and so is the authority (SSL_CERT_FILE and its other names)."""
import asyncio
import os
import ssl
import sys

AUTHORITY, PROXY = os.environ["SSL_CERT_FILE"], os.environ["https_proxy"]


def by_httplib2(url):
    import httplib2
    reply, body = httplib2.Http(ca_certs=AUTHORITY, timeout=20).request(url)
    return reply.status, body


def by_requests(url):
    import requests
    reply = requests.get(url, timeout=20)
    return reply.status_code, reply.content


def by_requests_again(url):
    """A second time on the connection that was kept."""
    import requests
    with requests.Session() as session:
        session.get(url, timeout=20)
        reply = session.get(url + "once-only", timeout=20)
    return reply.status_code, reply.content


def by_requests_post_again(url):
    import requests
    with requests.Session() as session:
        session.get(url, timeout=20)
        reply = session.post(url + "once-only", data=b"x", timeout=20)
    return reply.status_code, reply.content


def by_urllib3(url):
    import urllib3
    reply = urllib3.ProxyManager(PROXY, ca_certs=AUTHORITY, retries=False, timeout=20).request("GET", url)
    return reply.status, reply.data


def by_httpx(url):
    import httpx
    reply = httpx.get(url, timeout=20)
    return reply.status_code, reply.content


def by_aiohttp(url):
    import aiohttp

    async def get():
        async with aiohttp.ClientSession(trust_env=True) as session, session.get(url) as reply:
            return reply.status, await reply.read()

    return asyncio.run(get())


def by_urllib(url):
    import urllib.error
    import urllib.request
    try:
        with urllib.request.urlopen(url, timeout=20) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def by_websockets(url):
    """One message, and what comes back."""
    import websockets

    async def talk():
        async with websockets.connect(url, ssl=ssl.create_default_context(cafile=AUTHORITY) if url.startswith("wss:") else None) as socket:
            await socket.send("hello")
            return 200, (await socket.recv()).encode()

    return asyncio.run(talk())


def by_boto3(url):
    """GET of an object, at an endpoint that is not Amazon's."""
    import boto3
    from botocore.config import Config
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    store = boto3.client("s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="id", aws_secret_access_key="secret", verify=AUTHORITY, config=config)
    reply = store.get_object(Bucket="bucket", Key="object")
    return reply["ResponseMetadata"]["HTTPStatusCode"], reply["Body"].read()


def by_azure(url):
    from azure.storage.blob import BlobClient
    blob = BlobClient.from_blob_url(url + "container/blob?sv=2024-01-01&sig=x", retry_total=0, connection_verify=AUTHORITY)
    return 200, blob.download_blob().readall()


def by_google(url):
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage
    store = storage.Client(project="project", credentials=AnonymousCredentials(), client_options={"api_endpoint": url.rstrip("/")})
    return 200, store.bucket("bucket").blob("object").download_as_bytes(retry=None)


def by_rattler(url):
    """The one package in the index of a conda channel, as pixi reads it: its name is the host's."""
    import rattler

    async def read():
        return await rattler.fetch_repo_data(channels=[rattler.Channel(url + "channel")], platforms=[rattler.Platform("noarch")],
                                             cache_path=os.environ["HOME"] + "/cache", callback=None)

    index, = asyncio.run(read())
    name, = index.package_names()
    return 200, name.replace("_", ".").encode()


def causes(error):
    while error is not None:
        yield f"{type(error).__name__}: {error}"
        error = error.__cause__ or error.__context__


def main(how, url):
    try:
        status, body = globals()["by_" + how](url)
    except Exception as e:  # whatever a client may say
        print("\n".join(causes(e)), file=sys.stderr)
        return 1
    print(status, body.decode())
    return 0 if status == 200 else 1


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # without the interpreter's clearing up, which can crash under the threads that rattler leaves running
