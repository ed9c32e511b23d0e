"""From a laptop to a cluster: farms of workers, processes that share a fit, jobs, costs."""
