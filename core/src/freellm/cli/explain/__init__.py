"""`freellm explain`: why a route would, would not, or did not serve a request."""
