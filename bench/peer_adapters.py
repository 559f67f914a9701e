"""The vector search libraries that ann_peers.py compares with, each at the settings its documentation recommends."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
Setting = dict[str, Any]

# Candidates of a graph search.
EFS = (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 900)


class Peer:
    """One index of one library. Vectors of the metric cosine have unit length."""

    name = ""
    package = ""

    def __init__(self, base: Floats, metric: str) -> None:
        """Builds the index on one thread."""
        raise NotImplementedError

    def settings(self) -> Iterator[Setting]:
        """Of the search, each measured."""
        raise NotImplementedError

    def use(self, setting: Setting) -> None:
        """For the searches that follow."""
        raise NotImplementedError

    def search(self, queries: Floats, k: int) -> Ids:
        """The k nearest rows of each query, (queries, k), on one thread; -1 where fewer were found."""
        raise NotImplementedError


class EfPeer(Peer):
    """A graph with one parameter: candidates."""

    def settings(self) -> Iterator[Setting]:
        """Values of ef."""
        return ({"ef_search": ef} for ef in EFS)


class Hnswlib(EfPeer):
    """M 16, ef_construction 200, as its README has them."""

    name = "hnswlib"
    package = "hnswlib"

    def __init__(self, base: Floats, metric: str) -> None:
        import hnswlib

        self._index = hnswlib.Index("l2" if metric == "l2" else "ip", base.shape[1])
        self._index.init_index(len(base), M=16, ef_construction=200)
        self._index.set_num_threads(1)
        self._index.add_items(base, num_threads=1)

    def use(self, setting: Setting) -> None:
        self._index.set_ef(setting["ef_search"])

    def search(self, queries: Floats, k: int) -> Ids:
        return self._index.knn_query(queries, k, num_threads=1)[0].astype(np.int64)


def faiss_metric(metric: str) -> int:
    """FAISS's own number of a metric."""
    import faiss

    faiss.omp_set_num_threads(1)
    return int(faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT)


class FaissHnsw(EfPeer):
    """HNSW over f32; its M is the half of level 0's degree, as ours."""

    name = "faiss-hnsw"
    package = "faiss-cpu"

    def __init__(self, base: Floats, metric: str) -> None:
        import faiss

        self._index = faiss.IndexHNSWFlat(base.shape[1], 16, faiss_metric(metric))
        self._index.hnsw.efConstruction = 200
        self._index.add(base)

    def use(self, setting: Setting) -> None:
        self._index.hnsw.efSearch = setting["ef_search"]

    def search(self, queries: Floats, k: int) -> Ids:
        return np.asarray(self._index.search(queries, k)[1], np.int64)


class FaissIvf(Peer):
    """An inverted file of a factory string, refined with the vectors; FAISS's guidelines: 4 to 16 sqrt(n) lists."""

    package = "faiss-cpu"
    codes = ""

    def __init__(self, base: Floats, metric: str) -> None:
        import faiss

        lists = 2 ** round(np.log2(4 * np.sqrt(len(base))))
        codes = self.codes.format(half=base.shape[1] // 2)
        factory = f"IVF{lists},{codes},RFlat"
        self._index = faiss.index_factory(base.shape[1], factory, faiss_metric(metric))
        self._parameters = faiss.ParameterSpace()
        self._index.train(base)
        self._index.add(base)

    def settings(self) -> Iterator[Setting]:
        """How many lists, and how many candidates a wanted neighbour are refined."""
        for nprobe, refine in itertools.product(
            (1, 2, 4, 8, 16, 32, 64, 128, 256), (1, 2, 4, 8, 16, 32)
        ):
            yield {"nprobe": nprobe, "k_factor_rf": refine}

    def use(self, setting: Setting) -> None:
        self._parameters.set_index_parameter(self._index, "nprobe", setting["nprobe"])
        self._parameters.set_index_parameter(self._index, "k_factor_rf", setting["k_factor_rf"])

    def search(self, queries: Floats, k: int) -> Ids:
        return np.asarray(self._index.search(queries, k)[1], np.int64)


class FaissIvfPq(FaissIvf):
    """4-bit PQ of two dimensions each, scanned by shuffles."""

    name = "faiss-ivfpqfs"
    codes = "PQ{half}x4fs"


class FaissRabitq(FaissIvf):
    """1-bit codes."""

    name = "faiss-ivfrabitqfs"
    codes = "RaBitQfs4"


class Usearch(EfPeer):
    """Connectivity 16, expansions as ours."""

    name = "usearch"
    package = "usearch"
    dtype = "f32"

    def __init__(self, base: Floats, metric: str) -> None:
        from usearch.index import Index

        kinds = {"l2": "l2sq", "cosine": "cos", "inner_product": "ip"}
        self._index = Index(
            ndim=base.shape[1],
            metric=kinds[metric],
            dtype=self.dtype,
            connectivity=16,
            expansion_add=200,
        )
        self._index.add(np.arange(len(base)), base, threads=1)

    def use(self, setting: Setting) -> None:
        self._index.expansion_search = setting["ef_search"]

    def search(self, queries: Floats, k: int) -> Ids:
        keys = self._index.search(queries, k, threads=1).keys
        return np.asarray(keys, np.int64).reshape(len(queries), -1)


class UsearchI8(Usearch):
    """Its own 8-bit vectors, without the f32 ones; for cosine only."""

    name = "usearch-i8"
    dtype = "i8"

    def __init__(self, base: Floats, metric: str) -> None:
        if metric != "cosine":
            raise NotImplementedError("its i8 vectors are for cosine")
        super().__init__(base, metric)


class Svs(Peer):
    """Vamana of degree 32, window 200, over f32."""

    name = "svs-f32"
    package = "scalable-vs"

    def __init__(self, base: Floats, metric: str) -> None:
        import svs

        # Unit vectors are in the same order by L2, for which its pruning is made.
        distance = svs.DistanceType.MIP if metric == "inner_product" else svs.DistanceType.L2
        parameters = svs.VamanaBuildParameters(
            alpha=0.95 if metric == "inner_product" else 1.2, graph_max_degree=32, window_size=200
        )
        with tempfile.TemporaryDirectory() as folder:
            self._index = svs.Vamana.build(
                parameters, self._data(base, Path(folder)), distance, num_threads=1
            )
        self._index.num_threads = 1

    def _data(self, base: Floats, folder: Path) -> Any:
        del folder
        return base

    def settings(self) -> Iterator[Setting]:
        """Values of the search window."""
        return ({"window": ef} for ef in EFS)

    def use(self, setting: Setting) -> None:
        self._index.search_window_size = setting["window"]

    def search(self, queries: Floats, k: int) -> Ids:
        return np.asarray(self._index.search(queries, k)[0], np.int64)


class SvsLvq(Svs):
    """4-bit LVQ with an 8-bit residual, which its documentation recommends for most data."""

    name = "svs-lvq4x8"

    def _data(self, base: Floats, folder: Path) -> Any:
        import svs

        svs.write_vecs(base, str(folder / "base.fvecs"))
        loader = svs.VectorDataLoader(str(folder / "base.fvecs"), svs.DataType.float32)
        return svs.LVQLoader(loader, primary=4, residual=8)


class Symqg(EfPeer):
    """RaBitQ-Library's SymphonyQG: a graph of degree 32 with the codes of the neighbours in each node."""

    name = "rabitqlib-symqg"
    package = "rabitqlib"

    def __init__(self, base: Floats, metric: str) -> None:
        import rabitqlib

        self._index = rabitqlib.SymqgIndex(
            base.shape[1], 32, metric="ip" if metric == "inner_product" else "l2"
        )
        self._index.build(base, 200, num_threads=1)
        self._ef = EFS[0]

    def use(self, setting: Setting) -> None:
        self._ef = setting["ef_search"]

    def search(self, queries: Floats, k: int) -> Ids:
        found = self._index.search(queries, k, self._ef, num_threads=1)
        return np.asarray(next(part for part in found if part.dtype.kind in "iu"), np.int64)


class QdrantEdge(EfPeer):
    """One optimised segment: m 16, ef_construct 200."""

    name = "qdrant-edge"
    package = "qdrant-edge-py"

    def __init__(self, base: Floats, metric: str) -> None:
        import qdrant_edge as edge

        self._edge = edge
        self._folder = tempfile.TemporaryDirectory()
        distances = {"l2": "Euclid", "cosine": "Cosine", "inner_product": "Dot"}
        graph = edge.HnswIndexConfig(16, 200, 1, max_indexing_threads=1)
        vectors = edge.EdgeVectorParams(
            base.shape[1], getattr(edge.Distance, distances[metric]), hnsw_config=graph
        )
        config = edge.EdgeConfig(
            vectors=vectors,
            hnsw_config=graph,
            optimizers=edge.EdgeOptimizersConfig(
                default_segment_number=1, max_segment_size=10**9, indexing_threshold=1
            ),
            max_search_threads=1,
        )
        self._shard = edge.EdgeShard.create(self._folder.name, config)
        for begin in range(0, len(base), 1000):
            points = [
                edge.Point(begin + i, row.tolist())
                for i, row in enumerate(base[begin : begin + 1000])
            ]
            self._shard.update(edge.UpdateOperation.upsert_points(points))
        self._shard.optimize()
        self._ef = EFS[0]

    def use(self, setting: Setting) -> None:
        self._ef = setting["ef_search"]

    def search(self, queries: Floats, k: int) -> Ids:
        edge = self._edge
        out = np.full((len(queries), k), -1, np.int64)
        for i, query in enumerate(queries):
            request = edge.QueryRequest(
                k,
                query=edge.Query.Nearest(query.tolist()),
                params=edge.SearchParams(hnsw_ef=self._ef),
            )
            ids = [point.id for point in self._shard.query(request)]
            out[i, : len(ids)] = ids
        return out


class Chroma(EfPeer):
    """In its process; it builds one collection for each ef, for ef is fixed when a collection is made."""

    name = "chromadb"
    package = "chromadb"
    efs = (20, 80)

    def __init__(self, base: Floats, metric: str) -> None:
        import chromadb

        space = {"l2": "l2", "cosine": "cosine", "inner_product": "ip"}[metric]
        self._client = chromadb.EphemeralClient()
        self._collections = {}
        for ef in self.efs:
            graph = {
                "space": space,
                "max_neighbors": 16,
                "ef_construction": 200,
                "ef_search": ef,
                "num_threads": 1,
                "batch_size": 1000,
                "sync_threshold": 10**9,
            }
            self._client.delete_collection(f"ef-{ef}") if self._has(f"ef-{ef}") else None
            collection = self._client.create_collection(f"ef-{ef}", configuration={"hnsw": graph})
            for begin in range(0, len(base), 1000):
                rows = base[begin : begin + 1000]
                collection.add(ids=[str(begin + i) for i in range(len(rows))], embeddings=rows)
            self._collections[ef] = collection
        self._collection = self._collections[self.efs[0]]

    def _has(self, name: str) -> bool:
        return any(collection.name == name for collection in self._client.list_collections())

    def settings(self) -> Iterator[Setting]:
        """Those that were built."""
        return ({"ef_search": ef} for ef in self.efs)

    def use(self, setting: Setting) -> None:
        self._collection = self._collections[setting["ef_search"]]

    def search(self, queries: Floats, k: int) -> Ids:
        found = self._collection.query(query_embeddings=queries, n_results=k, include=[])
        return np.array([[int(key) for key in ids] for ids in found["ids"]], np.int64)


class Lance(Peer):
    """IVF-PQ with refinement, its default index."""

    name = "lancedb"
    package = "lancedb"

    def __init__(self, base: Floats, metric: str) -> None:
        import lancedb
        import pyarrow

        self._folder = tempfile.TemporaryDirectory()
        metrics = {"l2": "l2", "cosine": "cosine", "inner_product": "dot"}
        rows = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(base.ravel()), base.shape[1])
        table = pyarrow.table({"id": np.arange(len(base)), "vector": rows})
        self._table = lancedb.connect(self._folder.name).create_table("base", table)
        self._table.create_index(metric=metrics[metric], index_type="IVF_PQ")
        self._metric = metrics[metric]
        self._setting: Setting = {}

    def settings(self) -> Iterator[Setting]:
        """Partitions searched, and candidates a wanted neighbour that are refined."""
        for nprobes, refine in itertools.product((5, 20, 80), (2, 10, 40)):
            yield {"nprobes": nprobes, "refine_factor": refine}

    def use(self, setting: Setting) -> None:
        self._setting = setting

    def search(self, queries: Floats, k: int) -> Ids:
        out = np.full((len(queries), k), -1, np.int64)
        for i, query in enumerate(queries):
            found = (
                self._table.search(query)
                .distance_type(self._metric)
                .nprobes(self._setting["nprobes"])
                .refine_factor(self._setting["refine_factor"])
                .limit(k)
                .select(["id", "_distance"])
                .to_arrow()
            )
            ids = found["id"].to_numpy()
            out[i, : len(ids)] = ids
        return out


PEERS: tuple[type[Peer], ...] = (
    Hnswlib,
    FaissHnsw,
    FaissIvfPq,
    FaissRabitq,
    Usearch,
    UsearchI8,
    Svs,
    SvsLvq,
    Symqg,
    QdrantEdge,
    Chroma,
    Lance,
)
