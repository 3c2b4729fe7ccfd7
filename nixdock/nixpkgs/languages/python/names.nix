# How modules are called: what Debian calls otherwise than `python3-` and nixpkgs' name.
{
  names = {
    alembic = "alembic";
    ansible = "ansible";
    ansible-core = "ansible-core";
    argon2-cffi = "python3-argon2";
    argon2_cffi = "python3-argon2";
    attrs = "python3-attr";
    azure-core = "python3-azure";
    azure-storage-blob = "python3-azure-storage";
    beautifulsoup4 = "python3-bs4";
    black = "black";
    cassandra-driver = "python3-cassandra";
    cattrs = "python3-cattr";
    channels = "python3-django-channels";
    cheetah3 = "python3-cheetah";
    cherrypy = "python3-cherrypy3";
    cython = "cython3";
    cython_0 = "cython3";
    daphne = "daphne";
    dbus-python = "python3-dbus";
    discordpy = "python3-discord";
    django-filter = "python3-django-filters";
    django_3 = "python3-django";
    django_4 = "python3-django";
    django_5 = "python3-django";
    email_validator = "python3-email-validator";
    flask-jwt-extended = "python3-python-flask-jwt-extended";
    flask-wtf = "python3-flaskext.wtf";
    flit = "flit";
    flit-core = "flit";
    gitpython = "python3-git";
    google-api-python-client = "python3-googleapi";
    grpcio-tools = "python3-grpc-tools";
    gst-python = "python3-gst-1.0";
    gunicorn = "gunicorn";
    httpie = "httpie";
    isort = "isort";
    jsonpath-ng = "python3-jsonpath-rw";
    jupyter = "jupyter";
    kafka-python = "python3-kafka";
    markdown-it-py = "python3-markdown-it";
    mercurial = "mercurial";
    meson-python = "python3-mesonpy";
    mod_wsgi = "libapache2-mod-wsgi-py3";
    mpd2 = "python3-mpd";
    mypy = "mypy";
    mysql-connector = "python3-mysql.connector";
    mysqlclient = "python3-mysqldb";
    opencv-python = "python3-opencv";
    opencv-python-headless = "python3-opencv";
    opencv4 = "python3-opencv";
    pillow = "python3-pil";
    prompt_toolkit = "python3-prompt-toolkit";
    pycairo = "python3-cairo";
    pycryptodomex = "python3-pycryptodome";
    pycups = "python3-cups";
    pygithub = "python3-github";
    pygobject3 = "python3-gi";
    pyhamcrest = "python3-hamcrest";
    pyicu = "python3-icu";
    pyjwt = "python3-jwt";
    pyldap = "python3-ldap";
    pylint = "pylint";
    pymupdf = "python3-fitz";
    pynacl = "python3-nacl";
    pyopenssl = "python3-openssl";
    pyserial = "python3-serial";
    pyside2 = "python3-pyside2.qtcore";
    pysocks = "python3-socks";
    python-apt = "python3-apt";
    python-crontab = "python3-crontab";
    python-dateutil = "python3-dateutil";
    python-dbusmock = "python3-dbusmock";
    python-decouple = "python3-decouple";
    python-dotenv = "python3-dotenv";
    python-engineio = "python3-engineio";
    python-gitlab = "python3-gitlab";
    python-jose = "python3-jose";
    python-ldap = "python3-ldap";
    python-magic = "python3-magic";
    python-memcached = "python3-memcache";
    python-mpd2 = "python3-mpd";
    python-multipart = "python3-multipart";
    python-openstackclient = "python3-openstackclient";
    python-pam = "python3-pampy";
    python-slugify = "python3-slugify";
    python-snappy = "python3-snappy";
    python-socketio = "python3-socketio";
    pytz = "python3-tz";
    pyusb = "python3-usb";
    pywavelets = "python3-pywt";
    pyxdg = "python3-xdg";
    pyyaml = "python3-yaml";
    pyzmq = "python3-zmq";
    readability-lxml = "python3-readability";
    ruamel-yaml = "python3-ruamel.yaml";
    scikit-image = "python3-skimage";
    scikit-learn = "python3-sklearn";
    setuptools_scm = "python3-setuptools-scm";
    smbus-cffi = "python3-smbus";
    sphinx_rtd_theme = "python3-sphinx-rtd-theme";
    supervisor = "supervisor";
    systemd-python = "python3-systemd";
    tkinter = "python3-tk";
    tox = "tox";
    twine = "twine";
    uvicorn = "uvicorn";
    uwsgi = "uwsgi-plugin-python3";
    weasyprint = "weasyprint";
    web-py = "python3-webpy";
    websocket-client = "python3-websocket";
    websocket_client = "python3-websocket";
    yamllint = "yamllint";
    youtube-dl = "youtube-dl";
    yt-dlp = "yt-dlp";
    zope-interface = "python3-zope.interface";
    zope_interface = "python3-zope.interface";
  };

  # What people ask for, and Debian 12 does not have. Where a later Debian has it, it is there.
  absent = [
    "aiobotocore" "aiokafka" "anthropic" "azure-identity" "backports-zoneinfo" "chromadb" "cupy" "dash" "datasets" "dbt-core"
    "diffusers" "duckdb" "faiss" "faster-whisper" "fastmcp" "flask-admin" "flask-restx" "flower" "google-api-core"
    "google-cloud-storage" "gradio" "granian" "huggingface-hub" "imagehash" "influxdb-client" "jax" "jaxlib" "jupyterhub"
    "jupyterlab" "keras" "langchain" "langchain-core" "lightgbm" "litellm" "llama-index" "loguru" "maturin" "mcp" "mlflow"
    "mypy-boto3-s3" "neo4j" "onnx" "onnxruntime" "openai" "opentelemetry-api" "opentelemetry-sdk" "orjson" "pdm-backend"
    "playwright" "polars" "prefect" "psycopg2-binary" "pyarrow" "pydantic-core" "pydantic-settings" "pyinstaller"
    "pymilvus" "pyspark" "pytesseract" "python-barcode" "pytorch-lightning" "qdrant-client" "rapidfuzz" "ray" "robyn"
    "ruff" "safetensors" "sanic" "sentence-transformers" "sentencepiece" "slack-sdk" "slowapi" "snowflake-connector-python"
    "spacy" "sqlmodel" "streamlit" "strawberry-graphql" "tensorflow" "tiktoken" "tokenizers" "torchaudio" "transformers"
    "triton" "ultralytics" "uv" "watchfiles" "xgboost"
  ];
}
