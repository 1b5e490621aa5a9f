# srscope and what it needs; see docs/platforms.md.
FROM python:3.12-slim

# The address of PyTorch's wheels for the CPU, for an image without CUDA.
ARG TORCH_INDEX=""
RUN pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} \
    "torch>=2.6,<3" "torchvision>=0.21,<1"

WORKDIR /srscope
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip install --no-cache-dir .

RUN useradd --create-home srscope
USER srscope
WORKDIR /data
ENTRYPOINT ["srscope"]
CMD ["--help"]
